"""The Mastodon collector with real servers: mastodon-mock 0.6.1 (PyPI), and snac 2.75 (Debian), which is another's work.

Each is logged into, heard and answered, and asked through its own interface what it shows to the customer.
"""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from collectors import mastodon
from collectors.mastodon import MastodonCollector
from domain.contracts import Cursor, IdempotencyKey, Watch
from domain.errors import ConfigurationError, ContractError, OutcomeUnknownError, RefusedError, TransientError
from domain.mention import Mention
from tests.fakes.http_server import serve
from tests.peers.conftest import Between, answers, free_port, program, running, wait_for

pytestmark = pytest.mark.peers
ONE_BY_ONE = httpx.Limits(max_keepalive_connections=0)  # snac hangs up when it pleases


@dataclass
class Peer:
    """A server with our account and a customer's."""

    base: str
    token: str
    brand: str
    customer: httpx.Client
    log: Path

    def collector(self, base: str = "", timeout: float = 20.0, **settings: str) -> MastodonCollector:
        given = {"server": base or self.base, "access_token": self.token, "allow_private": "yes", **settings}
        made = mastodon.connect(given, timeout=timeout)
        assert isinstance(made, MastodonCollector)
        return made

    def say(self, text: str, **fields: str) -> str:
        answer = self.customer.post("/api/v1/statuses", data={"status": text, "language": "fr", **fields})
        answer.raise_for_status()
        said: str = answer.json()["id"]
        return said

    def shown(self, status_id: str) -> list[str]:
        """What the customer sees below a message of theirs."""
        below = self.customer.get(f"/api/v1/statuses/{status_id}/context").json()["descendants"]
        return [one["content"] for one in below]

    def hear(self, status_id: str, since: Cursor | None = None) -> Mention:
        """Read until it is there."""
        heard: dict[str, Mention] = {}

        def there() -> bool:
            pages = self.collector().fetch(Watch(), since)
            heard.update({one.native_id: one for page in pages for one in page.mentions})
            return status_id in heard

        wait_for(there)
        return heard[status_id]


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    command = program("mastodon-mock/bin/mastodon_mock")
    port, log = free_port(), tmp_path_factory.mktemp("mock") / "log"
    base = f"http://127.0.0.1:{port}"
    words = [str(command), "serve", "--host", "127.0.0.1", "--port", str(port), "--in-memory", "--demo"]
    token = {"Authorization": "Bearer grace_token"}
    with (
        running(words, log, lambda: answers(base + "/api/v1/instance")),
        httpx.Client(base_url=base, headers=token, timeout=60, limits=ONE_BY_ONE) as customer,
    ):
        yield Peer(base, "ada_token", "ada", customer, log)


def _snac_token(base: str, user: str, password: str) -> str:
    app = httpx.post(f"{base}/api/v1/apps", data={"client_name": "test", "redirect_uris": "urn:ietf:wg:oauth:2.0:oob"})
    form = {"login": user, "passwd": password, "redir": "urn:ietf:wg:oauth:2.0:oob", "cid": app.json()["client_id"]}
    return httpx.post(f"{base}/oauth/x-snac-get-token", data={**form, "state": ""}).text.strip()


@pytest.fixture(scope="module")
def snac(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    command, folder, port = str(program("snac/usr/bin/snac")), tmp_path_factory.mktemp("snac"), free_port()
    data, base = folder / "data", f"http://127.0.0.1:{port}"
    asked = f"127.0.0.1\n{port}\n127.0.0.1:{port}\n\n\n"
    subprocess.run([command, "init", str(data)], input=asked, text=True, check=True, capture_output=True)
    settings = json.loads((data / "server.json").read_text())
    (data / "server.json").write_text(json.dumps({**settings, "protocol": "http"}))
    passwords = {}
    for user in ("ormelune", "marie"):
        adding = [command, "adduser", str(data), user]
        made = subprocess.run(adding, input=f"{user}\n", text=True, check=True, capture_output=True)
        [passwords[user]] = re.findall(r"password is (\S+)", made.stdout + made.stderr)
    with running([command, "httpd", str(data)], folder / "log", lambda: answers(base + "/api/v1/instance")):
        token, marie = (_snac_token(base, user, passwords[user]) for user in ("ormelune", "marie"))
        with httpx.Client(
            base_url=base, headers={"Authorization": f"Bearer {marie}"}, timeout=60, limits=ONE_BY_ONE
        ) as customer:
            yield Peer(base, token, "ormelune", customer, folder / "log")


@pytest.fixture(params=["mock", "snac"])
def peer(request: pytest.FixtureRequest) -> Peer:
    found: Peer = request.getfixturevalue(request.param)
    return found


def test_it_is_logged_into_and_a_wrong_token_is_told(peer: Peer) -> None:
    peer.collector().check()
    with pytest.raises(ConfigurationError, match="access_token"):
        peer.collector(access_token="wrong").check()


def test_a_conversation_of_four_turns_is_heard_as_one_and_answered(peer: Peer) -> None:
    first = peer.say(f"@{peer.brand} où est mon colis ?")
    asked = peer.hear(first)
    assert asked.text.endswith("où est mon colis ?") and asked.author is not None
    second = peer.collector().reply(asked, "Quel est son numéro ?", IdempotencyKey("turn-2"))
    third = peer.say(f"@{peer.brand} le 4711", in_reply_to_id=second)
    answered = peer.hear(third)
    assert answered.conversation_id == asked.conversation_id and answered.parent_id == second
    fourth = peer.collector().reply(answered, "Il part demain.", IdempotencyKey("turn-4"))
    pages = list(peer.collector().fetch(Watch(), None))
    thread = [one for page in pages for one in page.mentions if one.conversation_id == first]
    assert {one.native_id for one in thread} == {first, second, third, fourth}
    assert {one.native_id for one in thread if one.outbound} == {second, fourth}
    wait_for(lambda: any("Il part demain." in words for words in peer.shown(third)))
    assert sum("Il part demain." in words for words in peer.shown(third)) == 1
    cursor = pages[-1].cursor
    later = peer.say(f"@{peer.brand} merci", in_reply_to_id=fourth)
    assert peer.hear(later, cursor).conversation_id == first


def test_an_answer_whose_confirmation_is_lost_is_found_and_not_sent_again(peer: Peer) -> None:
    asked = peer.hear(peer.say(f"@{peer.brand} toujours rien"))
    with serve(Between(peer.base)) as between:
        between.fail("hang", path="/api/v1/statuses", method="POST", after=True)
        with pytest.raises(OutcomeUnknownError):
            peer.collector(between.base, timeout=3.0).reply(asked, "Nous *cherchons* encore.", IdempotencyKey("lost"))
        wait_for(lambda: bool(peer.shown(asked.native_id)))
        found = peer.collector().find_reply(asked, "Nous *cherchons* encore.", IdempotencyKey("lost"))
    assert found is not None
    assert sum("encore" in words for words in peer.shown(asked.native_id)) == 1
    assert peer.collector().find_reply(asked, "Autre chose.", IdempotencyKey("lost")) is None


def test_what_is_gone_is_told(peer: Peer) -> None:
    asked = peer.hear(peer.say(f"@{peer.brand} encore moi"))
    missing = Mention("mastodon", "1234567890", "parti", asked.created_at)
    page = peer.collector().rehydrate([asked, missing])
    assert page.deleted == (missing.id,)


# -- what only the mock can be told to do -------------------------------------------------------------------------------------


def test_its_idempotency_key_makes_one_of_a_request_that_is_carried_out_after_we_gave_up(mock: Peer) -> None:
    asked = mock.hear(mock.say(f"@{mock.brand} et mon remboursement ?"))
    effect = {"type": "timeout"}  # it sleeps for 30 seconds, and then carries the request out
    rule = {"match": {"path": "/api/v1/statuses", "methods": ["POST"]}, "effect": effect, "count": 1}
    mock.customer.post("/api/v1/_mock/faults", json=rule).raise_for_status()
    key, begun = IdempotencyKey("slow"), time.monotonic()
    with pytest.raises(OutcomeUnknownError):
        mock.collector(timeout=1.0).reply(asked, "Il est parti hier.", key)
    assert mock.collector().find_reply(asked, "Il est parti hier.", key) is None
    sent = mock.collector().reply(asked, "Il est parti hier.", key)
    wait_for(lambda: time.monotonic() > begun + 33)
    assert sum("parti hier" in one for one in mock.shown(asked.native_id)) == 1
    assert mock.collector().find_reply(asked, "Il est parti hier.", key) == sent


@pytest.mark.parametrize(
    ("effect", "error"),
    [
        ({"type": "ratelimit"}, TransientError),
        ({"type": "status", "status": 503}, TransientError),
        ({"type": "malformed"}, ContractError),
    ],
)
def test_its_faults_while_reading(mock: Peer, effect: dict[str, object], error: type[Exception]) -> None:
    rule = {"match": {"path": "/api/v1/notifications"}, "effect": effect, "count": 1}
    mock.customer.post("/api/v1/_mock/faults", json=rule).raise_for_status()
    with pytest.raises(error) as caught:
        list(mock.collector().fetch(Watch(), None))
    if effect["type"] == "ratelimit":
        assert isinstance(caught.value, TransientError) and caught.value.retry_after is not None
        assert caught.value.retry_after.total_seconds() == 300
    assert list(mock.collector().fetch(Watch(), None))


def test_an_answer_that_it_finds_too_long_is_refused_before_and_by_it(mock: Peer) -> None:
    asked = mock.hear(mock.say(f"@{mock.brand} dites-m'en plus"))
    with pytest.raises(RefusedError, match="takes 500"):
        mock.collector().reply(asked, "x" * 600, IdempotencyKey("long"))
    patient = mock.collector()
    patient._server.rules = mastodon.Rules(text_limit=5000)
    with pytest.raises(RefusedError, match="too long"):
        patient.reply(asked, "x" * 600, IdempotencyKey("long"))


def test_deleted_and_edited_messages_are_seen(mock: Peer) -> None:
    edited, gone = (mock.hear(mock.say(f"@{mock.brand} {text}")) for text in ("à corriger", "à oublier"))
    mock.customer.put(
        f"/api/v1/statuses/{edited.native_id}", data={"status": f"@{mock.brand} corrigé"}
    ).raise_for_status()
    mock.customer.delete(f"/api/v1/statuses/{gone.native_id}").raise_for_status()
    page = mock.collector().rehydrate([edited, gone])
    assert page.deleted == (gone.id,)
    assert [one.text for one in page.changed] == [f"@{mock.brand} corrigé"]
