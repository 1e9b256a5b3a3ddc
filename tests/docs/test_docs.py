"""The docs tell the truth: commands, settings, links and make verbs exist as they are written down."""

import re
import subprocess
from pathlib import Path

import pytest
import typer

import cli
import collectors
from collectors import documentation
from settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text("utf-8")


def commands() -> dict[str, str]:
    group = typer.main.get_command(cli.app)
    return {name: command.help or "" for name, command in group.commands.items()}  # type: ignore[attr-defined]


def test_every_command_is_documented_and_has_help() -> None:
    written = set(re.findall(r"^\| `comptoir ([a-z-]+)", OPERATIONS, re.M))
    assert written == set(commands())
    assert all(len(text) > 20 for text in commands().values())


def test_every_setting_is_documented() -> None:
    written = set(re.findall(r"COMPTOIR_([A-Z_]+)`", OPERATIONS))
    assert written == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8")):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}, which is not there"


def test_make_verbs_of_the_readme_exist_and_have_help() -> None:
    told = subprocess.run(["make", "-C", str(ROOT), "help"], capture_output=True, text=True, check=True).stdout
    verbs = set(re.findall(r"^\s+make ([a-z-]+)", told, re.M))
    assert {"setup", "run", "test", "check", "bench", "evaluate", "screenshots"} <= verbs
    for page in PAGES:
        for verb in re.findall(r"^make ([a-z-]+)\s*$", page.read_text("utf-8"), re.M):
            assert verb in verbs, f"{page.name} names `make {verb}`"


def test_modules_say_what_lives_in_them() -> None:
    tracked = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "*.py"], capture_output=True, text=True, check=True
    ).stdout
    for name in tracked.split():
        head = (ROOT / name).read_text("utf-8").lstrip()
        assert not head or head.startswith(('"""', "#!")), f"{name} has no module docstring"


def test_connectors_are_documented_as_their_specs_say() -> None:
    page = documentation.PAGE.read_text("utf-8")
    assert page == documentation.written(page), "run python -m collectors.documentation"
    for row in collectors.COLLECTORS:
        assert f"`{row.key}`" in page
