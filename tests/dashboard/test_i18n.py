"""Two languages: nothing visible is left untranslated, and numbers, durations and moments are written as people write them."""

import ast
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import collectors
import dashboard
import domain
import store
from dashboard import i18n
from dashboard.i18n import ago, catalogue, clock, exact, minutes, money, n_t, number, set_language, share, t, told
from tests.conftest import NOW

ROOM = Path(dashboard.__file__).parent
PARIS = ZoneInfo("Europe/Paris")


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            yield name, node


def texts(source: str) -> Iterator[tuple[str, str | None]]:
    """(msgid, plural or None) of every `t("…")`, `msg("…")` and `n_t("…", "…", n)`."""
    for name, call in calls(ast.parse(source)):
        literals = [a.value if isinstance(a, ast.Constant) and isinstance(a.value, str) else None for a in call.args]
        if name in {"t", "msg"} and literals and literals[0]:
            yield literals[0], None
        elif name == "n_t" and len(literals) > 1 and literals[0] and literals[1]:
            yield literals[0], literals[1]


def missing(sources: dict[str, str]) -> list[str]:
    """Texts without English, as `file: text`."""
    english = catalogue("en")
    found = []
    for name, source in sources.items():
        for singular, plural in texts(source):
            forms = english.get(singular, ())
            if len(forms) != (2 if plural else 1) and not (plural is None and forms):
                found.append(f"{name}: {singular}")
    return sorted(set(found))


def test_everything_that_people_read_has_its_english() -> None:
    sources = {str(path.relative_to(ROOM)): path.read_text("utf-8") for path in ROOM.rglob("*.py")}
    assert missing(sources) == []


def test_the_search_for_missing_english_finds_them() -> None:
    source = 'x = t("Phrase sans traduction"); y = n_t("{n} truc", "{n} trucs", 2); z = msg("Autre")'
    assert missing({"a.py": source}) == ["a.py: Autre", "a.py: Phrase sans traduction", "a.py: {n} truc"]


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_translations_fill_in_the_same_names(lang: str) -> None:
    assert catalogue(lang)
    for msgid, forms in catalogue(lang).items():
        for form in forms:
            known = set(re.findall(r"\{(\w+)\}", msgid)) | ({"n"} if len(forms) > 1 else set())
            assert set(re.findall(r"\{(\w+)\}", form)) <= known, msgid


def sentences(path: Path, names: set[str]) -> Iterator[str]:
    """The messages given to these constructors, with `7` for what is filled in."""
    for name, call in calls(ast.parse(path.read_text("utf-8"))):
        if name not in names:
            continue
        for argument in call.args:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.value
            elif isinstance(argument, ast.JoinedStr):
                parts = [str(v.value) if isinstance(v, ast.Constant) else "7" for v in argument.values]
                yield "".join(parts)


def test_what_the_rooms_say_at_the_desk_has_its_french() -> None:
    rooms = [Path(room.__file__).parent for room in (domain, store, collectors)]  # type: ignore[arg-type]
    errors = {"RuleError", "StaleError", "StorageError", "RefusedError", "OutcomeUnknownError", "TransientError"}
    places = (
        (rooms[0] / "case.py", errors),
        (rooms[1] / "cases.py", errors),
        (rooms[1] / "engine.py", errors),
        (rooms[2] / "demo.py", errors | {"Permission"}),
        (ROOM / "acts.py", errors),
    )
    said = [sentence for path, names in places for sentence in sentences(path, names)]
    assert len(said) > 20
    assert [sentence for sentence in said if told(sentence) == sentence] == []


def test_what_a_room_says_is_left_alone_where_it_is_not_known_and_in_english() -> None:
    assert told("Quite unknown.") == "Quite unknown."
    set_language("en")
    assert told("They mention us.") == "They mention us."


def test_a_sentence_inside_a_sentence_is_translated_too() -> None:
    assert told("The network answered 429: too many requests.") == "Le réseau a répondu 429 : trop de demandes."


def test_plurals_follow_each_language() -> None:
    said = {n: n_t("{n} message", "{n} messages", n) for n in (0, 1, 2, 1200)}
    assert said == {0: "0 message", 1: "1 message", 2: "2 messages", 1200: "1\u202f200 messages"}
    set_language("en")
    said = {n: n_t("{n} message", "{n} messages", n) for n in (0, 1, 2)}
    assert said == {0: "0 messages", 1: "1 message", 2: "2 messages"}


def test_numbers_are_written_as_each_language_writes_them() -> None:
    assert (number(1234.5, 1), share(0.384), money(89.0), money(139.3)) == (
        "1\u202f234,5",
        "38\u202f%",
        "89\xa0€",
        "139,30\xa0€",
    )
    set_language("en")
    assert (number(1234.5, 1), share(0.384), money(89.0), money(139.3)) == ("1,234.5", "38%", "€89", "€139.30")


@pytest.mark.parametrize(
    ("x", "expected"),
    [(0, "0 min"), (48, "48 min"), (60, "1 h"), (72, "1 h 12"), (1440, "1 j"), (3060, "2 j 3 h"), (14400, "10 j")],
)
def test_durations(x: int, expected: str) -> None:
    assert minutes(x).replace("\u00a0", " ") == expected


@pytest.mark.parametrize(
    ("before", "french", "english"),
    [
        (timedelta(seconds=20), "à l'instant", "just now"),
        (timedelta(minutes=12), "il y a 12 min", "12 min ago"),
        (timedelta(hours=5), "il y a 5 h", "5 h ago"),
        (timedelta(days=1), "il y a 1 j", "1 d ago"),
        (timedelta(days=13), "il y a 13 j", "13 d ago"),
        (timedelta(days=20), "il y a 2 sem.", "2 w ago"),
        (timedelta(days=70), "il y a 2 mois", "2 mo ago"),
        (timedelta(days=800), "il y a 2 ans", "2 y ago"),
        (timedelta(minutes=-48), "dans 48 min", "in 48 min"),
    ],
)
def test_how_long_ago(before: timedelta, french: str, english: str) -> None:
    assert ago(NOW - before, NOW).replace("\u00a0", " ") == french
    set_language("en")
    assert ago(NOW - before, NOW).replace("\u00a0", " ") == english


def test_moments_are_told_in_the_shops_zone() -> None:
    assert exact(NOW, PARIS) == "mardi 10 mars 2026 à 11:00"
    assert clock(NOW - timedelta(hours=1), NOW, PARIS) == "10:00"
    assert clock(NOW - timedelta(days=1), NOW, PARIS) == "lun. 11:00"
    assert clock(NOW - timedelta(days=30), NOW, PARIS) == "8 févr."
    assert clock(datetime(2025, 1, 2, 12, tzinfo=PARIS), NOW, PARIS) == "2 janv. 2025"
    set_language("en")
    assert exact(NOW, PARIS) == "Tuesday 10 March 2026 at 11:00"


def test_every_catalogue_of_the_folder_is_read() -> None:
    names = {path.name for path in (ROOM / "locale" / "en" / "LC_MESSAGES").glob("*.po")}
    assert "comptoir.po" in names
    assert t("Envoyer") == "Envoyer"
    set_language("en")
    assert t("Envoyer") == "Send"
    assert t("Jamais traduit") == "Jamais traduit"
    assert i18n.language() == "en"
