"""No text stands in two parts, near-duplicates share a fold, and the order of rows follows from the seed."""

from collections import Counter
from itertools import islice

from nlp import folds
from nlp.train import data, ours, plan, sources
from nlp.train.data import Part, Row


def test_no_text_is_both_learnt_and_held_back(data_folder):
    rows = data.load(data_folder)
    parts = {part: {folds.text_key(row.text) for row in rows if row.part is part} for part in Part}
    assert all(parts.values()), "each part holds something, else this proves nothing"
    assert not parts[Part.TRAIN] & (parts[Part.VAL] | parts[Part.TEST])
    assert not parts[Part.VAL] & parts[Part.TEST]
    assert "the very same words everywhere" in parts[Part.TEST]


def test_the_proof_sees_a_leak():
    row = Row("Même TEXTE, 2 fois", "fr", Part.TEST, "one", {"sentiment": 0})
    copy = Row("@user meme texte fois http", "fr", Part.TRAIN, "two", {"sentiment": 0})
    other = Row("autre texte", "fr", Part.TRAIN, "two", {"sentiment": 0})
    assert data.without_leaks([copy, other, row]) == [other, row]


def test_written_messages_are_for_training_only(data_folder):
    written = [row for row in ours.rows(data_folder) if row.source == "written"]
    assert written and {row.part for row in written} == {Part.TRAIN}


def test_a_written_copy_of_a_held_back_message_is_dropped(data_folder, tiny):
    held = next(row for row in ours.rows(data_folder) if row.part is Part.TEST)
    tiny.write_lines(data_folder / "labels" / ours.WRITTEN, [{"text": held.text, "lang": "fr", **tiny.LABEL}])
    assert not [row for row in data.load(data_folder) if row.source == "written"]


def test_our_own_written_messages_are_read_too(data_folder, tiny, monkeypatch, tmp_path):
    monkeypatch.setattr(ours, "HERE", tmp_path / "more")
    (tmp_path / "more").mkdir()
    tiny.write_lines(tmp_path / "more" / "messages_fr.jsonl", [{"text": "un mot à nous", "lang": "fr", **tiny.LABEL}])
    assert "un mot à nous" in {row.text for row in ours.written(data_folder)}


def test_near_copies_and_threads_share_a_group():
    long = "mon colis est perdu depuis trois semaines et personne ne me répond au téléphone"
    numbers = folds.groups(
        [long, long + " merci", "un tout autre message sur le prix", "encore autre chose", "oui"],
        ["", "", "thread 1", "thread 1", ""],
    )
    assert numbers[0] == numbers[1]
    assert numbers[2] == numbers[3]
    assert len(set(numbers)) == 3


def test_a_text_of_marks_only_keeps_a_key_of_its_own():
    assert folds.text_key("😡😡") != folds.text_key("👍")
    assert folds.text_key("@user 12 http Colis PERDU !") == "colis perdu"


def test_folds_are_about_even_and_do_not_move():
    drawn = Counter(folds.draw(f"group {number}") for number in range(5_000))
    assert set(drawn) == set(range(folds.FOLDS))
    assert max(drawn.values()) < 1.3 * min(drawn.values())
    assert [folds.draw(name) for name in ("a", "b", "c")] == [folds.draw(name) for name in ("a", "b", "c")]


def test_aspects_that_a_set_cannot_know_stay_unknown(data_folder):
    labels = ours.HEAD_BY_KEY["aspects"].labels
    source = next(source for source in sources.SOURCES if source.key == "absa")
    known = source.answers({"label": "negative", "triplets": [["box", "Product Packaging#General", "negative"]]})
    assert known["aspects"] == tuple(int(name == "packaging") for name in labels)
    partly = source.answers(
        {"label": "negative", "triplets": [["x", "price", "negative"], ["y", "ambience mood", "positive"]]}
    )
    assert partly["aspects"] == tuple(1 if name == "price_promo" else -1 for name in labels)


def test_noisy_hindi_lines_are_neither_learnt_nor_chosen_on_but_tested():
    source = next(source for source in sources.SOURCES if source.key == "umsab")
    line = {"label": "positive", "lang": "hi", "split": "train"}
    assert source.answers(line) == source.answers({**line, "split": "val"}) == {}
    assert source.answers({**line, "split": "test"}) == source.answers({**line, "lang": "fr"}) == {"sentiment": 2}


def _rows() -> list[Row]:
    many = [Row(f"a{n}", "en", Part.TRAIN, "tweeteval", {"sentiment": 0 if n < 90 else 2}) for n in range(100)]
    own = [Row(f"b{n}", "fr", Part.TRAIN, "written", {"sentiment": 1}) for n in range(10)]
    return [*many, *own, Row("c", "fr", Part.TEST, "written", {"sentiment": 1})]


def test_passes_draw_the_share_of_each_source_flatter_than_it_is_and_never_test_rows():
    rows = _rows()
    first, second = islice(plan.passes(rows, {"tweeteval": 0.2, "written": 1.0}, seed=3), 2)
    classes = Counter((rows[place].source, rows[place].targets["sentiment"]) for place in first)
    assert classes == {("tweeteval", 0): 13, ("tweeteval", 2): 7, ("written", 1): 10}
    assert all(rows[place].part is Part.TRAIN for place in first + second)
    tweets = [place for place in first + second if rows[place].targets["sentiment"] == 0]
    assert len(set(tweets)) == len(tweets), "the second pass goes on where the first one stopped"


def test_the_same_seed_gives_the_same_order():
    rows = _rows()
    rates = {"tweeteval": 0.5, "written": 1.0}
    one, same, other = (list(islice(plan.passes(rows, rates, seed), 3)) for seed in (1, 1, 2))
    assert one == same
    assert one != other
