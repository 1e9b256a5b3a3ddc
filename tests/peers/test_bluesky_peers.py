"""The Bluesky collector with the vendor's own network: @atproto/dev-env 0.6.7 (npm), with PostgreSQL and Redis.

It is logged into, heard and answered, and asked through its own interface what it shows to the customer. It is heavy (half a
gigabyte, minutes to install), and so has a verb of its own.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from collectors import bluesky
from collectors.bluesky import BlueskyCollector
from collectors.bluesky_service import forget_sessions
from domain.contracts import Cursor, IdempotencyKey, Watch
from domain.errors import ConfigurationError, OutcomeUnknownError, RefusedError
from domain.mention import Mention
from tests.fakes.http_server import serve
from tests.peers.conftest import Between, answers, free_port, program, running, wait_for

pytestmark = pytest.mark.peers
POST = "app.bsky.feed.post"


@dataclass
class Network:
    """The network, with our account and two customers'."""

    base: str
    sessions: dict[str, dict[str, str]] = field(default_factory=dict)

    def call(self, verb: str, method: str, who: str = "", **fields: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.sessions[who]['accessJwt']}"} if who else {}
        answer = httpx.request(verb, f"{self.base}/xrpc/{method}", headers=headers, timeout=60, **fields)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def join(self, who: str) -> None:
        account = {"handle": f"{who}.test", "email": f"{who}@shop.test", "password": f"{who}-password"}
        self.sessions[who] = self.call("POST", "com.atproto.server.createAccount", json=account)

    def say(self, who: str, text: str, parent: Any = None) -> str:
        """A post that names the brand where its text does."""
        did = self.sessions[who]["did"]
        moment = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        record: dict[str, Any] = {"$type": POST, "text": text, "createdAt": moment, "langs": ["fr"]}
        if parent:
            here = {"uri": parent["uri"], "cid": parent["cid"]}
            record["reply"] = {"root": parent["record"].get("reply", {}).get("root") or here, "parent": here}
        if "@ormelune.test" in text:
            start = len(text[: text.index("@ormelune.test")].encode())
            named = {"$type": "app.bsky.richtext.facet#mention", "did": self.sessions["ormelune"]["did"]}
            record["facets"] = [{"index": {"byteStart": start, "byteEnd": start + 14}, "features": [named]}]
        body = {"repo": did, "collection": POST, "record": record}
        uri: str = self.call("POST", "com.atproto.repo.createRecord", who, json=body)["uri"]
        return uri

    def shown(self, uri: str, who: str = "marie") -> Any:
        """A post as a customer sees it, once they do."""
        found: list[Any] = []

        def there() -> bool:
            found[:] = self.call("GET", "app.bsky.feed.getPosts", who, params={"uris": [uri]})["posts"]
            return bool(found)

        wait_for(there)
        return found[0]

    def answers_to(self, uri: str) -> list[str]:
        thread = self.call("GET", "app.bsky.feed.getPostThread", "marie", params={"uri": uri})["thread"]
        return [one["post"]["record"]["text"] for one in thread["replies"]]

    def collector(self, base: str = "", timeout: float = 30.0, **settings: str) -> BlueskyCollector:
        given = {"handle": "ormelune.test", "app_password": "ormelune-password", "service": base or self.base}
        made = bluesky.connect({**given, "allow_private": "yes", **settings}, timeout=timeout)
        assert isinstance(made, BlueskyCollector)
        return made

    def hear(self, uri: str, since: Cursor | None = None) -> Mention:
        heard: dict[str, Mention] = {}

        def there() -> bool:
            pages = self.collector().fetch(Watch(), since)
            heard.update({one.native_id: one for page in pages for one in page.mentions})
            return uri in heard

        wait_for(there)
        return heard[uri]


def _redis(folder: Path, port: int) -> tuple[list[str], dict[str, str]]:
    found, libraries = shutil.which("redis-server"), {}
    if found is None:
        found = str(program("redis/usr/bin/redis-server"))
        libraries = {"LD_LIBRARY_PATH": str(program("redis/usr/lib/x86_64-linux-gnu"))}
    return [found, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)], libraries


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Network]:
    package, node = program("atproto/node_modules/@atproto/dev-env/package.json"), shutil.which("node")
    if node is None:
        pytest.skip("there is no node here")
    folder, port, redis_port = tmp_path_factory.mktemp("atproto"), free_port(), free_port()
    redis, libraries = _redis(folder, redis_port)
    told = {
        "PEER_FOLDER": str(package.parents[3]),
        "PEER_POSTGRES": request.getfixturevalue("postgres_server"),
        "PEER_PORT": str(port),
        "REDIS_HOST": f"127.0.0.1:{redis_port}",
    }
    version = subprocess.run([node, "--version"], text=True, check=True, capture_output=True).stdout
    old = ["--harmony-iterator-helpers"] if int(version.lstrip("v").partition(".")[0]) < 22 else []
    start = [node, *old, str(Path(__file__).parent / "bluesky_network.mjs")]
    log, base = folder / "log", f"http://localhost:{port}"
    ready = lambda: "ready at" in log.read_text() and answers(f"{base}/xrpc/_health")  # noqa: E731
    with (
        running(redis, folder / "redis", lambda: True, {**os.environ, **libraries}),
        running(start, log, ready, {**os.environ, **told}, seconds=300),
    ):
        made = Network(base)
        for who in ("ormelune", "marie", "paul"):
            made.join(who)
        forget_sessions()
        yield made


def test_it_is_logged_into_and_a_wrong_password_is_told(network: Network) -> None:
    network.collector().check()
    with pytest.raises(ConfigurationError, match=r"Invalid identifier or password.*app_password"):
        network.collector(app_password="wrong").check()


def test_a_conversation_of_four_turns_is_heard_as_one_and_answered(network: Network) -> None:
    first = network.say("marie", "é @ormelune.test où est mon colis ?")
    asked = network.hear(first)
    assert asked.author is not None and asked.author.handle == "marie.test" and asked.lang_hint == "fr"
    second = network.collector().reply(
        asked, "Quel numéro, @marie.test ? https://ormelune.example", IdempotencyKey("2")
    )
    shown = network.shown(second)
    assert [one["features"][0]["$type"].partition("#")[2] for one in shown["record"]["facets"]] == ["mention", "link"]
    third = network.say("marie", "4711", shown)
    answered = network.hear(third)
    assert answered.conversation_id == first and answered.parent_id == second
    aside = network.say("paul", "moi aussi", network.shown(first))
    fourth = network.collector().reply(answered, "Il part demain.", IdempotencyKey("4"))
    network.shown(fourth)
    network.shown(aside)
    pages = list(network.collector().fetch(Watch(), None))
    thread = [one for page in pages for one in page.mentions if one.conversation_id == first]
    assert {one.native_id for one in thread} == {first, second, third, fourth, aside}
    assert {one.native_id for one in thread if one.outbound} == {second, fourth}
    assert network.answers_to(third) == ["Il part demain."]
    later = network.say("paul", "toujours rien", network.shown(aside))
    assert network.hear(later, pages[-1].cursor).conversation_id == first


def test_an_answer_whose_confirmation_is_lost_is_found_and_not_sent_again(network: Network) -> None:
    asked = network.hear(network.say("marie", "@ormelune.test toujours rien"))
    key = IdempotencyKey("lost")
    with serve(Between(network.base)) as between:
        slow = network.collector(between.base, timeout=5.0)
        slow.check()
        between.fail("hang", path="/xrpc/com.atproto.repo.putRecord", after=True)
        with pytest.raises(OutcomeUnknownError):
            slow.reply(asked, "Nous cherchons.", key)
    found = network.collector().find_reply(asked, "Nous cherchons.", key)
    assert found is not None and network.collector().reply(asked, "Nous cherchons.", key) == found
    network.shown(found)
    assert network.answers_to(asked.native_id) == ["Nous cherchons."]
    assert network.collector().find_reply(asked, "Nous cherchons.", IdempotencyKey("other")) is None


def test_its_own_refusals_are_told_in_its_words(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = network.hear(network.say("marie", "@ormelune.test dites-m'en plus"))
    monkeypatch.setattr(bluesky, "check_length", lambda text: None)
    with pytest.raises(RefusedError, match="grapheme too big"):
        network.collector().reply(asked, "x" * 400, IdempotencyKey("long"))


def test_an_expired_session_is_renewed(network: Network) -> None:
    made = network.collector()
    made.check()
    session = made._service._session()
    session.access = session.access[:-4] + "AAAA"
    made.check()
    session = made._service._session()
    session.access, session.refresh = session.access[:-4] + "AAAA", session.refresh[:-4] + "AAAA"
    made.check()


def test_deleted_posts_are_seen_and_searches_find(network: Network) -> None:
    word = "chaussurerouge"
    gone = network.hear(network.say("paul", f"@ormelune.test {word} à oublier"))
    kept = network.hear(network.say("paul", f"@ormelune.test {word} à garder"))
    record = {"repo": network.sessions["paul"]["did"], "collection": POST, "rkey": gone.native_id.rpartition("/")[2]}
    network.call("POST", "com.atproto.repo.deleteRecord", "paul", json=record)
    wait_for(lambda: network.collector().rehydrate([gone, kept]).deleted == (gone.id,))
    watch, now = Watch(terms=(word,)), datetime.now(UTC) + timedelta(minutes=5)
    told = network.collector().estimate(watch, now - timedelta(days=1), now)
    assert [one.native_id for one in told.samples] == [kept.native_id]
    pages = network.collector().backfill(watch, now - timedelta(days=3), now, None)
    assert [one.native_id for page in pages for one in page.mentions] == [kept.native_id]
