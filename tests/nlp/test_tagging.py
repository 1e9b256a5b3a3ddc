"""nlp.tagging: what a line becomes, which lines are left out, and files that are written whole or not at all."""

import gzip
import io
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any

import pytest

from domain.analysis import Analysis, ModelRef, Scored
from domain.errors import InputError, StorageError
from domain.mention import Mention
from nlp import tagging
from nlp.tagging import FIELDS, Counts, Rejected, as_line, numbered_lines, replaced, tag, tagged, untagged

TAGS = ["lang", "sentiment", "p_negative", "p_neutral", "p_positive", "intent", "intent_p", "secondary", "aspects"]
TAGS += ["urgency", "churn", "toxic", "irony", "directed", "uncertain", "model"]


class Scripted:
    """Finds everything negative; keeps what it was asked, batch by batch."""

    model = ModelRef("scripted", "1")

    def __init__(self) -> None:
        self.asked: list[list[Mention]] = []

    def analyze(self, mentions: Sequence[Mention]) -> list[Analysis]:
        self.asked.append(list(mentions))
        return [
            Analysis(one.id, self.model, "fr", 0.8, 1 / 7, 0.4 / 7, Scored("other", 1 / 3), aspects=("delivery",))
            for one in mentions
        ]


def run(lines: Iterable[bytes | dict[str, Any]], batch: int = 64) -> tuple[list[Any], Counts, Scripted]:
    analyzer, counts = Scripted(), Counts()
    raw = (line if isinstance(line, bytes) else as_line(line) for line in lines)
    return list(tag(analyzer, enumerate(raw, start=1), batch, counts)), counts, analyzer


def test_every_field_stays_and_ours_follow() -> None:
    row = {"id": 7, "text": "Nul", "nested": {"a": [1, None]}, "empty": None, "p": 0.1}
    (found,), counts, _ = run([row])
    assert list(found) == [*row, *TAGS] and list(FIELDS) == TAGS
    assert {name: found[name] for name in row} == row
    assert (found["sentiment"], found["intent_p"], found["aspects"], found["model"]) == (
        "negative",
        0.333333,
        ["delivery"],
        "scripted@1",
    )
    assert counts == Counts(tagged=1)


def test_a_field_of_our_name_is_kept_as_given_however_often_it_is_tagged() -> None:
    once = tagged({"text": "Nul", "sentiment": "positive", "lang": "de"}, Scripted().analyze([_mention()])[0])
    assert (once["given_sentiment"], once["sentiment"]) == ("positive", "negative")
    assert list(once)[:3] == ["text", "given_sentiment", "given_lang"]
    twice = tagged(once, Scripted().analyze([_mention()])[0])
    assert twice == once
    assert untagged(twice) == {"text": "Nul", "sentiment": "positive", "lang": "de"}


def test_only_a_row_that_we_tagged_is_untagged() -> None:
    row = {"text": "a", "sentiment": "positive", "given_name": "Léa", "model": "Clio"}
    assert untagged(row) == row


def test_title_and_hint_are_read_and_gold_is_not() -> None:
    _, _, analyzer = run([{"text": "b", "title": "a", "lang": "de", "lang_hint": "nl"}, {"text": "c", "lang": "de"}])
    first, second = analyzer.asked[0]
    assert (first.title, first.text, first.lang_hint) == ("a", "b", "nl")
    assert (second.title, second.lang_hint) == ("", None)


@pytest.mark.parametrize("row", [{}, {"text": None}, {"text": 3}, {"text": ["a"]}, {"text": "  "}, {"texte": "a"}])
def test_a_row_without_a_text_is_tagged_as_empty(row: dict[str, Any]) -> None:
    (found,), counts, analyzer = run([row])
    assert analyzer.asked[0][0].text.strip() == ""
    assert {name: found[name] for name in row} == row
    assert counts == Counts(tagged=1, without_text=1)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"not json\n", "not JSON"),
        (b'{"text": "cut', "not JSON"),
        (b"[1, 2]\n", "no object"),
        (b"null\n", "no object"),
        (b'{"text": "caf\xe9"}\n', "UTF-8"),
        (b"[" * 100_000 + b"\n", "not JSON"),
    ],
)
def test_a_line_that_is_no_object_is_rejected_with_its_number(line: bytes, reason: str) -> None:
    found, counts, _ = run([{"text": "a"}, b"\n", line, {"text": "b"}])
    (rejected,) = [item for item in found if isinstance(item, Rejected)]
    assert (rejected.line, rejected.raw) == (3, line) and reason in rejected.reason
    assert counts == Counts(tagged=2, rejected=1)


def test_a_mark_at_the_head_of_the_file_is_no_letter() -> None:
    (found,), _, _ = run([b'\xef\xbb\xbf{"text": "a"}\n'])
    assert found["text"] == "a"


def test_memory_holds_one_batch() -> None:
    taken: list[int] = []

    def lines() -> Iterable[bytes]:
        for number in range(100):
            taken.append(number)
            yield b'{"text": "a"}\n'

    rows = tag(analyzer := Scripted(), enumerate(lines(), start=1), 10, Counts())
    next(iter(rows))
    assert len(taken) == 10 and [len(asked) for asked in analyzer.asked] == [10]


def test_a_text_beyond_the_limit_of_mentions_is_read_at_both_ends() -> None:
    (found,), _, analyzer = run([{"text": "début " + "x " * 100_000 + "fin"}])
    assert len(found["text"]) > 200_000
    read = analyzer.asked[0][0].text
    assert read.startswith("début") and read.endswith("fin") and len(read) < 10_000


def test_a_line_of_output_is_utf8_or_escaped() -> None:
    assert as_line({"text": "été"}) == '{"text": "été"}\n'.encode()
    assert json.loads(as_line({"text": "half \ud83d"})) == {"text": "half \ud83d"}


# Files


def test_packed_and_plain_streams_give_the_same_lines(tmp_path: Path) -> None:
    content = b'{"text": "a\xe2\x80\xa8b"}\n\n{"text": "c"}'
    plain, packed = tmp_path / "plain", tmp_path / "packed.txt"
    plain.write_bytes(content)
    packed.write_bytes(gzip.compress(content))
    for path in (plain, packed):
        with path.open("rb") as stream:
            assert list(numbered_lines(stream, "x")) == [
                (1, b'{"text": "a\xe2\x80\xa8b"}\n'),
                (2, b"\n"),
                (3, b'{"text": "c"}'),
            ]
    assert list(numbered_lines(io.BytesIO(b"a\n"), "x")) == [(1, b"a\n")]


def test_a_cut_archive_says_how_far_it_could_be_read(tmp_path: Path) -> None:
    path = tmp_path / "cut.gz"
    path.write_bytes(gzip.compress(os.urandom(1000).hex().encode() * 10)[:-50])
    with path.open("rb") as stream, pytest.raises(InputError, match=r"cut\.gz cannot be read beyond line"):
        list(numbered_lines(stream, "cut.gz"))


def test_a_line_without_an_end_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tagging, "LINE_LIMIT", 8)
    lines = list(numbered_lines(io.BytesIO(b"x" * 50 + b"\n" + b"{}\n"), "x"))
    assert lines == [(1, b"x" * 8), (2, b"{}\n")]
    (rejected,) = list(tag(Scripted(), lines[:1], 4, Counts()))
    assert isinstance(rejected, Rejected) and "longer" in rejected.reason


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz"])
def test_a_file_is_replaced_whole(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"before")
    with replaced(path) as stream:
        stream.write(b"after\n")
        assert path.read_bytes() == b"before"
    assert (gzip.decompress(path.read_bytes()) if name.endswith("gz") else path.read_bytes()) == b"after\n"
    assert list(tmp_path.iterdir()) == [path]


def test_what_fails_half_way_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(b"before")
    with pytest.raises(KeyboardInterrupt), replaced(path) as stream:
        stream.write(b"half")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"before" and list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"before")
    link.symlink_to(target)
    with replaced(link) as stream:
        stream.write(b"after")
    assert link.is_symlink() and target.read_bytes() == b"after"


@pytest.mark.parametrize("name", ["/nowhere/out.jsonl", "/dev/full"])
def test_a_place_that_cannot_be_written_is_told(name: str) -> None:
    def write() -> None:
        stream: IO[bytes]
        with replaced(Path(name)) as stream:
            stream.write(b"x" * 10_000_000)

    with pytest.raises(StorageError, match="could not be written"):
        write()


def _mention() -> Mention:
    return Mention("file", "1", "Nul", tagging._SAID_AT)
