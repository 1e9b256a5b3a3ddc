"""nlp.text: what a reader sees is what is read, and in which language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.text import SCAN_HEAD, SCAN_TAIL, clip, fold, language, mask, normalise, tokenise


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("ｎｕｌ", "nul"),
        ("𝐧𝐮𝐥", "nul"),
        ("n\u200bu\u2060l\ufeff", "nul"),
        ("nuuuuul", "nuul"),
        ("NUUUL", "NUUL"),
        ("www.shop.fr", "www.shop.fr"),
        ("100000 €", "100000 €"),
        ("n\u0336u\u0337l\u0338", "nul"),
        ("c’est", "c'est"),
        ("a\u00a0b\t c", "a b c"),
        ("quoi ?!?!?!", "quoi ?!?!?!"),
        ("non!!!!!!!!", "non!!!"),
        ("a\x00b\x1b", "a b"),
        ("déçu", "déçu"),
        ("👍🏽", "👍"),
    ],
)
def test_normalise_shows_what_a_reader_sees(raw: str, clean: str) -> None:
    assert normalise(raw) == clean


@pytest.mark.parametrize("disguised", ["аrnaque", "arnаquе", "Аrnaque".lower(), "αrnaque"])
def test_letters_in_disguise_are_read(disguised: str) -> None:
    assert disguised != "arnaque"
    assert normalise(disguised) == "arnaque"


def test_words_of_another_alphabet_stay() -> None:
    assert normalise("заказ не пришёл") == "заказ не пришёл"


@given(st.text(max_size=300))
def test_normalise_is_idempotent_and_total(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert all(word and " " not in word for word in tokenise(once).words)


def test_mask_hides_who_and_where() -> None:
    text = "@Shop_fr écrivez à ana.b@mail.example ou https://shop.example/x?y=1 ou shop.fr/retour"
    assert mask(text) == "@user écrivez à  @mail  ou http ou http"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("C'est nul !!", ["c", "est", "nul", "!", "!!"]),
        ("n'est pas arrivé", ["n", "est", "pas", "arrive"]),
        ("It isn't here, I can't wait", ["it", "is", "not", "here", ",", "i", "can", "not", "wait"]),
        ("won’t work", ["will", "not", "work"]),
        ("3j de retard, 29,90€", ["3", "jours", "de", "retard", ",", "29,90", "€"]),
        ("en 4G", ["en", "4g"]),
        ("Quoi ?!", ["quoi", "?", "??"]),
        ("super 😍 :) :'(", ["super", "😍", "🙂", "😢"]),
        ("@shop voir https://a.example", ["@user", "voir", "http"]),
        ("cœur", ["coeur"]),
    ],
)
def test_tokenise(text: str, words: list[str]) -> None:
    assert tokenise(normalise(text)).words == words


def test_shouting_is_noticed_unless_all_is_shouted() -> None:
    assert tokenise("c'est VRAIMENT nul").shouted == {"vraiment"}
    assert tokenise("C'EST VRAIMENT NUL").shouted == frozenset()


def test_fold_ignores_case_and_accents() -> None:
    assert fold("DÉÇUE Œuvre") == fold("decue oeuvre")


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("Bonjour, où en est ma commande ?", "fr"),
        ("c nul tjrs pas de rep svp", "fr"),
        ("tres decu de la livraison", "fr"),
        ("nuuuul", "fr"),
        ("Where is my order? It was due yesterday", "en"),
        ("great service, thanks", "en"),
        ("pls fix ur app", "en"),
        ("Hola, mi pedido todavía no ha llegado", "und"),
        ("Mein Paket ist leider nicht angekommen", "und"),
        ("Il mio ordine non è ancora arrivato", "und"),
        ("заказ не пришёл", "und"),
        ("😍😍", "und"),
        ("", "und"),
        ("12345", "und"),
    ],
)
def test_language(text: str, lang: str) -> None:
    assert language(normalise(text)) == lang


def test_a_hint_counts_only_where_words_tell_nothing() -> None:
    assert language("RAV4 XZ", hint="fr-FR") == "fr"
    assert language("Where is my order?", hint="fr") == "en"
    assert language("RAV4 XZ", hint="de") == "und"
    assert language("😍", hint="fr") == "und"


def test_clip_keeps_head_and_tail() -> None:
    text = "début " + "x " * 20_000 + "fin"
    clipped = clip(text)
    assert len(clipped) == SCAN_HEAD + SCAN_TAIL + 1
    assert clipped.startswith("début")
    assert clipped.endswith("fin")
    assert clip("court") == "court"


def test_invisible_letters_push_nothing_out() -> None:
    text = "\u200b" * 40_000 + "colis jamais reçu" + "\u200b" * 40_000
    assert normalise(clip(text)) == "colis jamais reçu"


@pytest.mark.parametrize("unit", ["a.b.", "www.", "@a ", "a@", "pas ", "😡", "!?", "n't", "ab", "x:) "])
def test_the_work_is_bounded_whatever_the_text(unit: str) -> None:
    text = clip(unit * (100_000 // len(unit)))
    assert len(tokenise(normalise(text)).words) <= SCAN_HEAD + SCAN_TAIL + 1
