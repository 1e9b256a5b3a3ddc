"""nlp.languages: what is told of real and of short texts, and what has no say."""

import json
from pathlib import Path

import pytest

from nlp import languages
from nlp.languages import identify, measure
from nlp.text import normalise

SENTENCES = Path(__file__).with_name("languages.jsonl")


def test_short_messages_in_twelve_languages_are_told() -> None:
    shares = {lang: (count, found["ours"]) for _, lang, count, found in measure([SENTENCES])}
    assert set(shares) == {"ar", "de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "ru", "sv"}
    assert all(share == 1 for lang, (_, share) in shares.items() if lang != "fr"), shares
    assert shares["fr"][1] >= 0.9 and shares["nl"][0] == 30


@pytest.mark.parametrize(
    "text", ["", "   ", "12 345", "?!?!", "😡😡", "@user http", "#promo", "@shop https://t.example/x"]
)
def test_without_a_word_nothing_is_told_whatever_the_source_says(text: str) -> None:
    assert identify(normalise(text)) == identify(normalise(text), "fr") == "und"


def test_what_the_source_says_decides_only_in_doubt() -> None:
    assert identify("lol") == "und"
    assert identify("lol", "fr") == "fr" and identify("lol", "en-US") == "en"
    assert identify("Where is my parcel? Nobody answers.", "fr") == "en"
    assert identify("Où est mon colis ?", "xx") == identify("Où est mon colis ?", "und") == "fr"


def test_handles_links_and_hashtags_speak_no_language() -> None:
    said = "Toujours pas de nouvelles"
    assert (
        identify(normalise(f"@the_best_shop {said} #BlackFriday #CustomerService https://the.best.shop.com/the-order"))
        == "fr"
    )


def test_capitals_do_not_change_the_language() -> None:
    said = "Mi pedido no ha llegado y nadie contesta"
    assert identify(said) == identify(said.upper()) == "es"


def test_what_nobody_sees_does_not_change_the_language() -> None:
    plain = "mon colis jamais reçu"
    assert {
        identify(normalise(text)) for text in (plain, "mon co\u200blis ja\u200dmais reçu", "mоn cоlis jаmais rеçu")
    } == {"fr"}


def test_codes_of_three_letters_are_not_given_out(monkeypatch: pytest.MonkeyPatch) -> None:
    class Library:
        def rank(self, text: str) -> list[tuple[str, float]]:
            return [("gsw", 0.999), ("de", 0.000001)]

    monkeypatch.setattr(languages, "_library", Library)
    assert identify("Grüezi mitenand") == "und"


def test_test_parts_are_not_measured(tmp_path: Path) -> None:
    rows = [{"lang": "fr", "text": "Où est mon colis ?", "split": part} for part in ("train", "val", "test", "all")]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    assert [(name, lang, count) for name, lang, count, _ in measure([path])] == [("rows.jsonl", "fr", 2)]
