"""`comptoir map`: mentions out of saved answers, rejects told, never a traceback, no store."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import cli
import collectors

TWEETS = {
    "data": [
        {
            "id": "1800000000000000001",
            "text": "@ormelune mon colis est perdu &amp; personne ne répond",
            "author_id": "42",
            "created_at": "2026-03-02T09:30:00.000Z",
            "conversation_id": "1800000000000000001",
            "edit_history_tweet_ids": ["1800000000000000001"],
        },
        {"id": "1800000000000000002"},
    ],
    "includes": {"users": [{"id": "42", "username": "marie", "name": "Marie"}]},
    "errors": [{"title": "Not Found Error", "resource_id": "7", "resource_type": "tweet", "detail": "gone",
                "type": "https://api.twitter.com/2/problems/resource-not-found"}],
    "meta": {"result_count": 2},
}  # fmt: skip
FEED = """<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Blog</title><link>https://b.example/</link>
<item><title>Ormelune ouvre à Lyon</title><link>https://b.example/1</link><guid>https://b.example/1</guid>
<pubDate>Mon, 02 Mar 2026 09:30:00 GMT</pubDate><description>Une boutique.</description></item></channel></rss>"""


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*words: str, feed: bytes = b"") -> Result:
    return CliRunner().invoke(cli.app, ["map", *words], input=feed)


def printed(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_mentions_are_printed_and_the_rest_is_told(tmp_path: Path) -> None:
    (tmp_path / "answer.json").write_text(json.dumps(TWEETS), encoding="utf-8")
    result = run("x", "answer.json")
    assert result.exit_code == 0, result.output
    [mention] = printed(result)
    assert mention["id"] == "x:1800000000000000001"
    assert mention["text"] == "@ormelune mon colis est perdu & personne ne répond"
    assert mention["author"]["handle"] == "marie"
    assert "raw" not in mention
    assert "rejected: " in result.stderr and "deleted: x:7" in result.stderr
    assert not list(tmp_path.glob("data*")), "no store was made"


def test_json_lines_are_bodies_and_a_broken_line_does_not_end_it(tmp_path: Path) -> None:
    lines = [json.dumps(TWEETS), "{truncated", "", json.dumps({**TWEETS, "errors": []})]
    (tmp_path / "answers.jsonl").write_text("\n".join(lines), encoding="utf-8")
    result = run("x", "answers.jsonl", "--json", "--raw")
    assert result.exit_code == 0, result.output
    *mentions, counts = printed(result)
    assert [mention["native_id"] for mention in mentions] == ["1800000000000000001"] * 2
    assert mentions[0]["raw"]
    assert counts == {"mentions": 2, "rejected": 3, "deleted": 1}
    assert "line 2, body: no JSON" in result.stderr


def test_a_feed_is_a_document(tmp_path: Path) -> None:
    result = run("feed", "-", feed=FEED.encode())
    assert result.exit_code == 0, result.output
    [mention] = printed(result)
    assert mention["title"] == "Ormelune ouvre à Lyon" and mention["created_at"] == "2026-03-02T09:30:00+00:00"
    broken = run("feed", "-", feed=b"<html><body>non</body></html>")
    assert broken.exit_code == 0 and "rejected: body" in broken.stderr


@pytest.mark.parametrize(
    "key", [row.key for row in collectors.COLLECTORS if row.key not in {"files", "folder", "demo"}]
)
@pytest.mark.parametrize(
    "body", ["[]", "null", "7", '"x"', '{"error": {"message": "no", "code": 190}}', "[[[{}]]]", "{"]
)
def test_whatever_is_handed_in_there_is_no_traceback(key: str, body: str) -> None:
    result = run(key, "-", feed=body.encode())
    assert result.exit_code == 0 and result.exception is None, (key, body, result.exception)
    assert not result.stdout


def test_what_breaks_a_mapper_is_listed_and_the_rest_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    understand, _ = collectors.mapper("x")

    def brittle(body: Any) -> Any:
        if body == {"odd": 1}:
            raise KeyError("odd")
        return understand(body)

    monkeypatch.setattr(collectors, "mapper", lambda _: (brittle, True))
    (tmp_path / "a.jsonl").write_text('{"odd": 1}\n' + json.dumps(TWEETS), encoding="utf-8")
    result = run("x", "a.jsonl")
    assert len(printed(result)) == 1
    assert "line 1, body: a fault of Comptoir's own (KeyError" in result.stderr


def test_what_a_person_must_mend_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty.json").write_text("", encoding="utf-8")
    for words, says in (
        (("x", "missing.json"), "cannot be read"),
        (("x", "empty.json"), "empty"),
        (("minitel", "empty.json"), "no collector"),
        (("files", "empty.json"), "comptoir import"),
    ):
        result = run(*words)
        assert result.exit_code == 1 and says in result.stderr, words
