"""What the Facebook and Instagram sources say to people has its French: errors, reasons of rules, gaps, remarks, rejects."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import collectors
from collectors import facebook_rules, instagram_rules
from collectors.meta_errors import RENEW
from dashboard.i18n import set_language, told
from domain.permission import ReplyRule

ROOM = Path(collectors.__file__).parent
FILES = sorted(path for path in ROOM.glob("*.py") if path.name.startswith(("meta_", "facebook", "instagram")))
SPEAKERS = {
    "ConfigurationError", "ContractError", "Gap", "GoneError", "InputError", "NotAllowedError", "OutcomeUnknownError",
    "RefusedError", "TooMuchError", "TransientError", "append", "refuse",
}  # fmt: skip


def sentences(path: Path) -> Iterator[str]:
    """What is given to these, with `7` for what is filled in."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name not in SPEAKERS:
            continue
        for argument in node.args:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.value
            elif isinstance(argument, ast.JoinedStr):
                parts = [str(v.value) if isinstance(v, ast.Constant) else "7" for v in argument.values]
                yield "".join(parts)


@pytest.fixture(autouse=True)
def french() -> Iterator[None]:
    set_language("fr")
    yield
    set_language("fr")


def test_errors_remarks_and_rejects_have_their_french() -> None:
    said = {one for path in FILES for one in sentences(path) if " " in one.strip()}
    assert len(said) > 60
    said = {one.replace("the 7 ", "the comment ") for one in said}  # the kinds of items are words, too
    said = {one.replace("of the Page: 7. 7", f"of the Page: 7. {RENEW}") for one in said}
    glued = {"The list “7” cannot be read. 77", "77"}  # two sentences, each of them said elsewhere
    assert sorted(one for one in said - glued if told(one) == one) == []
    kinds = ("comment", "medium", "message", "post", "recommendation")
    assert [kind for kind in kinds if told(f"the {kind} says nothing") == f"the {kind} says nothing"] == []


@pytest.mark.parametrize(
    "rule",
    [
        *facebook_rules.HUMAN_AGENT_RULES, *facebook_rules.RULES, *facebook_rules.PRIVATE_RULES,
        *instagram_rules.HUMAN_AGENT_RULES, *instagram_rules.RULES, *instagram_rules.PRIVATE_RULES,
    ],
    ids=lambda rule: rule.key,
)  # fmt: skip
def test_reasons_of_rules_have_their_french(rule: ReplyRule) -> None:
    assert told(rule.reason) != rule.reason


def test_a_sentence_inside_a_sentence_is_translated_too() -> None:
    inner = (
        "Facebook does not let the app do this (x). Give it the permission pages_messaging, then renew the setting "
        "access_token. Or set messages to no."
    )
    assert told(f"The list “conversations” cannot be read. {inner}").endswith(
        "Donnez-lui l'autorisation pages_messaging, puis renouvelez le réglage access_token. Ou mettez messages à no."
    )
