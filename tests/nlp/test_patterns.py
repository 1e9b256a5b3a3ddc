"""nlp.patterns: the small language of cue files, and the files themselves."""

import pytest

from nlp.cues import checked, lexicon_files, lexicon_for
from nlp.patterns import Lexicon, read_lexicon_files
from nlp.text import fold, normalise, tokenise


def found(lines: str, text: str) -> list[str]:
    """The words that the cues of a section cover in a text."""
    lexicon = Lexicon([f"[x]\n{lines}"])
    words = tokenise(normalise(text)).words
    return [" ".join(words[start:end]) for start, end, _ in lexicon.find(words)]


@pytest.mark.parametrize(
    ("pattern", "text", "covered"),
    [
        ("mon colis", "où est mon colis", ["mon colis"]),
        ("où|quand est", "quand est mon tour", ["quand est"]),
        ("ton (gros) colis", "ton colis", ["ton colis"]),
        ("ton (gros) colis", "ton gros colis", ["ton gros colis"]),
        ("rembours*", "remboursez", ["remboursez"]),
        ("rembours*", "rembourrage", []),
        ("déçu+", "DECUES", ["decues"]),
        ("colis ~ reçu", "colis commandé hier reçu", ["colis commande hier recu"]),
        ("colis ~ reçu", "colis un deux trois quatre reçu", []),
        ("colis ~~ reçu", "colis un deux trois quatre reçu", ["colis un deux trois quatre recu"]),
        ("colis ~ reçu", "mon colis. Bien reçu", []),
        ("colis ~ reçu", "colis pas reçu", []),
        ("colis ~ pas reçu", "colis toujours pas reçu", ["colis toujours pas recu"]),
        ("< ok >", "ok", ["ok"]),
        ("< ok >", "ok mais non", []),
        ("reçu >", "bien reçu", ["recu"]),
        ("depuis {n} jours", "depuis 12 jours", ["depuis 12 jours"]),
        ("nul", "nuul", ["nuul"]),
        ("colis", "coliss", ["coliss"]),
        ("?", "quoi ?", ["?"]),
        ("😡", "non 😡", ["😡"]),
    ],
)
def test_pattern(pattern: str, text: str, covered: list[str]) -> None:
    assert found(pattern, text) == covered


def test_a_class_stands_for_its_words() -> None:
    assert found("{want} = veux|voudrais\n{want} ce", "je voudrais ce pull") == ["voudrais ce"]


def test_chat_spellings_are_written_out() -> None:
    lexicon = Lexicon(["tjrs -> toujours, c -> c est"])
    assert lexicon.respell(["c", "tjrs", "nul"]) == ["c", "est", "toujours", "nul"]
    assert lexicon.respell(["c", "est", "nul"]) == ["c", "est", "nul"]


def test_the_same_cue_twice_counts_once() -> None:
    lexicon = Lexicon(["[s:-2]\ndéçu, decu"])
    assert len(lexicon.find(["decu"])) == 1


@pytest.mark.parametrize("source", ["colis", "[]\ncolis", "[s:x]\ncolis"])
def test_a_broken_file_says_which_line(source: str) -> None:
    with pytest.raises(ValueError, match=r"\[|colis"):
        Lexicon([source])


@pytest.mark.parametrize("target", ["refund", "@refund_return", "delivery", "urgent4", "refund_return!"])
def test_a_target_that_nothing_reads_is_refused(target: str) -> None:
    with pytest.raises(ValueError, match="nothing reads"):
        checked(Lexicon([f"[{target}:2]\ncolis"]))


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_files_hold_only_words_that_a_text_can_hold(lang: str) -> None:
    steps = {
        step
        for entry in lexicon_for(lang).entries
        for step in entry.pattern.replace("'", " ").replace("|", " ").split()
    }
    plain = {step.strip("()") for step in steps if not step.endswith(("*", "+")) and step[0] not in "{~<>!?"}
    assert {step for step in plain if tokenise(normalise(step)).words != [fold(step)]} == set()


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_a_chat_spelling_is_no_everyday_word(lang: str) -> None:
    """Folded, "jé" is "je": a spelling like that would rewrite every text."""
    common = {
        "fr": "je tu il elle on nous vous me te se ce le la les de et ou est pas plus mes ses si tout mess",
        "en": "i you he she it we they me my a an the is are was this that have can will do not no so def ill its",
    }
    assert lexicon_for(lang).respelled.keys().isdisjoint(common[lang].split())


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_lists_are_rich_and_say_where_they_come_from(lang: str) -> None:
    lexicon = lexicon_for(lang)
    polar = [entry for entry in lexicon.entries if any(target == "s" and weight for target, weight in entry.targets)]
    assert len(polar) > 1_000
    heads = [source.split("\n\n")[0] for source in read_lexicon_files(*lexicon_files(lang))]
    assert all(head.startswith("# ") and "Apache-2.0" in head for head in heads)
