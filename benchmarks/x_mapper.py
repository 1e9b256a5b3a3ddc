"""X's mapper and the store: saved pages of mentions, parsed, mapped, given their permission, and stored with their counts.

The pages are what X would answer: a hundred distinct posts each, by the older and the newer names in turn, with authors,
links, pictures, quotes, places, long and edited posts; the words are the demo story's. `python -m benchmarks.x_mapper`.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.line import measure

NOW = datetime(2026, 3, 10, 19, 0, tzinfo=UTC)
PAGE = 100
OWNER = "1111111111"
_EPOCH = 1_288_834_974_657
_SETTINGS = {
    "account": "ormelune",
    "consumer_key": "a",
    "consumer_secret": "b",
    "access_token": f"{OWNER}-c",
    "access_token_secret": "d",
}
_NEWER = {
    "edit_history_tweet_ids": "edit_history_post_ids",
    "referenced_tweets": "referenced_posts",
    "note_tweet": "note_post",
}


def write_pages(path: Path, count: int) -> None:
    """A file of answers, one a line, that hold `count` mentions of the account together."""
    from collectors.demo_story import lay_out

    words = [item["text"] for item in lay_out(NOW).items if not item["from_brand"]]
    with path.open("w", encoding="utf-8") as handle:
        for start in range(0, count, PAGE):
            body = _body([_post(number, words) for number in range(start, min(start + PAGE, count))])
            handle.write(json.dumps(_newer(body) if start // PAGE % 2 else body, ensure_ascii=False) + "\n")


def map_and_store(folder: Path, source: Path) -> int:
    """All pages of the file into a new store, with the permission to answer beside each; how many were stored."""
    from zoneinfo import ZoneInfo

    from collectors import x
    from collectors.x_beside import Own
    from domain.clock import Calendar
    from domain.contracts import CanReply, Page
    from store import Store

    collector = x.connect(_SETTINGS, now=lambda: NOW)
    assert isinstance(collector, CanReply)
    folder.mkdir(parents=True, exist_ok=True)
    store = Store.open(f"sqlite:///{folder / 'x.sqlite'}", Calendar(ZoneInfo("Europe/Paris")))
    store.sources.ensure("x", "x", "X", {})
    own, stored = Own(OWNER, "ormelune"), 0
    with source.open(encoding="utf-8") as handle:
        for line in handle:
            mapped = x.map_answer(json.loads(line), own)
            page = Page(mapped.mentions, None, mapped.rejects, mapped.deleted, mapped.notes)
            stored += store.mentions.add_page("x", page, NOW, collector.may_reply).stored
    return stored


def map_alone(_folder: Path, source: Path) -> int:
    """The mapper without the store."""
    from collectors import x

    with source.open(encoding="utf-8") as handle:
        return sum(len(x.map_answer(json.loads(line)).mentions) for line in handle)


def rows(count: int = 100_000) -> Iterator[tuple[str, int, float, float]]:
    """(name, mentions, seconds, peak MB) of both, each in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_pages(folder / "pages.jsonl", count)
        for call in (map_and_store, map_alone):
            yield call.__name__, *measure(call, folder / "store", folder / "pages.jsonl")


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    print(f"{'X':34}{'rows':>8}{'seconds':>9}{'rows/s':>9}{'MB':>7}")
    for name, count, seconds, peak in rows(parser.parse_known_args()[0].rows):
        print(f"{name:34}{count:8,}{seconds:9.2f}{count / seconds:9,.0f}{peak:7.0f}")


def _post(number: int, words: list[str]) -> dict[str, Any]:
    moment = NOW - timedelta(days=6) + timedelta(seconds=5 * number)
    native_id = str(((int(moment.timestamp() * 1000) - _EPOCH) << 22) + number % 4096)
    short, target = f"https://t.co/{number:010d}", f"https://ormelune.example/p/{number}?a=1&b=2"
    said = words[number % len(words)].replace("&", "&amp;")
    text = f"@ormelune {said} ({number}) {short}"
    post: dict[str, Any] = {
        "id": native_id,
        "text": text,
        "author_id": str(5_000_000_000 + number % 20_000),
        "conversation_id": native_id,
        "created_at": moment.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "lang": "fr",
        "edit_history_tweet_ids": [native_id],
        "reply_settings": "everyone",
        "possibly_sensitive": False,
        "entities": {
            "mentions": [{"start": 0, "end": 9, "username": "ormelune", "id": OWNER}],
            "urls": [
                {"start": 0, "end": 23, "url": short, "expanded_url": target, "display_url": "ormelune.example/p"}
            ],
        },
        "public_metrics": {"like_count": number % 9, "reply_count": 1, "retweet_count": 2, "quote_count": 0},
    }
    if number % 3 == 0:
        post["referenced_tweets"] = [{"type": "replied_to", "id": str(int(native_id) - 9_999_999)}]
        post |= {"in_reply_to_user_id": OWNER, "conversation_id": str(int(native_id) - 9_999_999)}
    if number % 5 == 0:
        post["attachments"] = {"media_keys": [f"3_{number}"]}
    if number % 11 == 0:
        post["note_tweet"] = {"text": f"{text} {said} {said}", "entities": post["entities"]}
    if number % 17 == 0:
        post["referenced_tweets"] = [{"type": "quoted", "id": "2031158088299446277"}]
    return post


def _body(posts: list[dict[str, Any]]) -> dict[str, Any]:
    users = {post["author_id"]: _user(post["author_id"]) for post in posts}
    media = [key for post in posts for key in post.get("attachments", {}).get("media_keys", [])]
    return {
        "data": posts,
        "includes": {
            "users": list(users.values()),
            "tweets": [{"id": "2031158088299446277", "text": "Nos pulls sont de retour", "author_id": OWNER}],
            "media": [
                {"media_key": key, "type": "photo", "url": f"https://pbs.example/{key}.jpg", "alt_text": "Un pull"}
                for key in media
            ],
        },
        "meta": {"result_count": len(posts), "newest_id": posts[-1]["id"], "oldest_id": posts[0]["id"]},
    }


def _user(native_id: str) -> dict[str, Any]:
    metrics = {"followers_count": int(native_id) % 5_000, "following_count": 5, "tweet_count": 40, "listed_count": 0}
    return {"id": native_id, "name": f"Client {native_id}", "username": f"u{native_id}", "public_metrics": metrics}


def _newer(value: Any) -> Any:
    if isinstance(value, dict):
        return {_NEWER.get(key, "posts" if key == "tweets" else key): _newer(inner) for key, inner in value.items()}
    return [_newer(one) for one in value] if isinstance(value, list) else value


if __name__ == "__main__":
    main()
