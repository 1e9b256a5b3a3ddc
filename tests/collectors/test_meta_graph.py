"""What facebook-sdk gets wrong is put right: versions, proofs, statuses, error pages, tokens in addresses, lost headers."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collectors.meta_errors import GoneError, NotAllowedError
from collectors.meta_graph import Graph, Keys, position_of, version_of
from collectors.meta_usage import Usage, regained_in
from domain.errors import (
    ComptoirError,
    ConfigurationError,
    ContractError,
    OutcomeUnknownError,
    RefusedError,
    TransientError,
)
from tests.fakes.meta import PAGE, SECRET, TOKEN, FakeMeta, serve
from tests.fakes.meta_world import written

NOW = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)


@pytest.fixture
def fake() -> Iterator[FakeMeta]:
    with serve(FakeMeta()) as running:
        yield running


def graph(fake: FakeMeta, **options: Any) -> Graph:
    given = {"name": "Facebook", "now": lambda: NOW, "allow_private": True, "timeout": 10.0, **options}
    return Graph(Keys(given.pop("token", TOKEN), SECRET), fake.base, **given)


def feed(client: Graph, limit: int = 25) -> list[Any]:
    return client.listing(PAGE, "feed", "id,message", limit=limit).items


# -- versions, proofs, tokens ----------------------------------------------------------------------------------------------


def test_the_current_version_is_asked_for(fake: FakeMeta) -> None:
    feed(graph(fake))
    feed(graph(fake, version="25.0"))
    assert [one.path for one in fake.requests] == [f"/v26.0/{PAGE}/feed", f"/v25.0/{PAGE}/feed"]


@pytest.mark.parametrize("wrong", ["", "latest", "v26", "26.0.1", "v26.0/../x"])
def test_what_is_no_version_is_refused(wrong: str) -> None:
    with pytest.raises(ConfigurationError, match=r"such as v26\.0"):
        version_of(wrong)


def test_every_call_proves_that_the_app_is_ours(fake: FakeMeta) -> None:
    for number in range(5):
        fake.world.post(f"n° {number}")
    comment = fake.world.comment(fake.world.all("post")[0], "Bonjour", "Léa")
    client, proof = graph(fake), Keys(TOKEN, SECRET).proof
    first = client.listing(PAGE, "feed", "id", limit=2)
    client.listing(PAGE, "feed", "id", limit=2, position=first.position)
    client.node(PAGE, "id")
    client.say(comment.id, "comments", message="Merci")
    client.change(comment.id, is_hidden=True)
    client.several([(comment.id, "id")])
    client.remove(fake.world.ours()[-1].id)
    assert len(fake.requests) == 7
    for request in fake.requests:
        given = {**request.params, **((request.data or {}) if request.method == "POST" else {})}
        assert given["appsecret_proof"] == proof, request.path
        assert given["access_token"] == TOKEN, request.path


def test_the_token_of_a_post_never_stands_in_the_address(fake: FakeMeta) -> None:
    comment = fake.world.comment(fake.world.post("Soldes"), "Bonjour", "Léa")
    client = graph(fake)
    client.change(comment.id, hide=False)
    with pytest.raises(RefusedError):
        client.change(comment.id)  # nothing of its own: where the SDK puts the token into the address
    assert fake.leaks == []
    assert all(not request.query for request in fake.requests)


def test_links_to_further_pages_are_not_followed_but_read() -> None:
    link = f"https://evil.example/v26.0/1/feed?access_token={TOKEN}&limit=25&after=QVFI&appsecret_proof=x"
    assert position_of({"paging": {"next": link, "cursors": {"after": "QVFI"}}}) == {"after": "QVFI"}
    assert position_of({"paging": {"next": "https://x/feed?until=1770000000&__paging_token=enc_A"}}) == {
        "until": "1770000000",
        "__paging_token": "enc_A",
    }
    assert position_of({"paging": {"cursors": {"after": "QVFI"}}}) == {}  # the last page has cursors, too
    assert position_of({"paging": {"next": 5}}) == position_of([]) == position_of(None) == {}


def test_the_sdk_can_be_imported_where_warnings_are_errors(tmp_path: Path) -> None:
    """A copy that was never compiled: Python remarks on its patterns when it is."""
    installed = Path(str(importlib.util.find_spec("facebook").origin)).parent  # type: ignore[union-attr]
    shutil.copytree(installed, tmp_path / "facebook", ignore=shutil.ignore_patterns("__pycache__"))
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{Path.cwd()}", "PYTHONDONTWRITEBYTECODE": "1"}
    code = "import collectors.meta_graph as m; print(m.facebook.__version__, m.facebook.__file__)"
    done = subprocess.run(
        [sys.executable, "-Werror", "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["3.1.0", str(tmp_path / "facebook" / "__init__.py")], done.stderr


def test_listing_and_mapping_need_no_sdk() -> None:
    code = "import sys, collectors.facebook, collectors.instagram; print(sorted({'facebook', 'requests'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# -- what goes wrong -------------------------------------------------------------------------------------------------------

READS: list[tuple[str, dict[str, Any], type[ComptoirError]]] = [
    ("html", {"status": 200}, ContractError),
    ("html", {"status": 502}, TransientError),
    ("truncated", {}, ContractError),
    ("cut", {}, TransientError),
    ("huge", {}, ContractError),
    ("status", {"status": 500, "data": {"oops": 1}}, TransientError),
    ("status", {"status": 503}, TransientError),
    ("status", {"status": 429}, TransientError),
    ("status", {"status": 429, "data": ""}, TransientError),
    ("status", {"status": 401}, ConfigurationError),
    ("status", {"status": 403}, ConfigurationError),
    ("status", {"status": 302, "headers": {"Location": "https://evil.example/"}, "data": ""}, ConfigurationError),
    ("status", {"status": 200, "data": {"error": {"code": 190, "message": "dead"}}}, ConfigurationError),
    ("status", {"status": 200, "data": {"data": {"id": "1"}}}, ContractError),
    ("status", {"status": 200, "data": []}, ContractError),
]


@pytest.mark.parametrize(("effect", "fields", "expected"), READS)
def test_what_goes_wrong_while_reading(
    fake: FakeMeta, effect: str, fields: dict[str, Any], expected: type[ComptoirError]
) -> None:
    fake.world.post("Soldes")
    fake.fail(effect, **fields)
    with pytest.raises(expected) as caught:
        feed(graph(fake))
    assert not isinstance(caught.value, OutcomeUnknownError)
    assert len(fake.requests) == 1, "something was asked twice, or elsewhere"
    assert len(feed(graph(fake))) == 1


def test_a_server_that_keeps_silent(fake: FakeMeta) -> None:
    fake.fail("hang")
    with pytest.raises(TransientError, match="did not answer in time"):
        feed(graph(fake, timeout=0.2))


WRITES: list[tuple[str, dict[str, Any], type[ComptoirError]]] = [
    ("cut", {"after": True}, OutcomeUnknownError),
    ("html", {"status": 200, "after": True}, OutcomeUnknownError),
    ("html", {"status": 502, "after": True}, OutcomeUnknownError),
    ("truncated", {}, OutcomeUnknownError),
    ("status", {"status": 500, "data": {"error": {"code": 1, "message": "An unknown error"}}}, OutcomeUnknownError),
    ("status", {"status": 200, "data": {"success": True}}, OutcomeUnknownError),
    ("status", {"status": 429}, TransientError),
    ("status", {"status": 403}, ConfigurationError),
    ("status", {"status": 401}, ConfigurationError),
    ("status", {"status": 400, "data": {"error": {"code": 368, "message": "blocked"}}}, RefusedError),
    ("status", {"status": 400, "data": {"error": {"code": 506, "message": "Duplicate"}}}, RefusedError),
    ("status", {"status": 400, "data": {"error": {"code": 1705, "message": "No"}}}, RefusedError),
]


@pytest.mark.parametrize(("effect", "fields", "expected"), WRITES)
def test_what_goes_wrong_while_saying_something(
    fake: FakeMeta, effect: str, fields: dict[str, Any], expected: type[ComptoirError]
) -> None:
    comment = fake.world.comment(fake.world.post("Soldes"), "Bonjour", "Léa")
    fake.fail(effect, method="POST", **fields)
    with pytest.raises(expected) as caught:
        graph(fake).say(comment.id, "comments", message="Merci")
    assert isinstance(caught.value, OutcomeUnknownError) == (expected is OutcomeUnknownError)
    assert len(fake.requests) == 1


def test_hiding_that_got_no_answer_may_be_tried_again(fake: FakeMeta) -> None:
    comment = fake.world.comment(fake.world.post("Soldes"), "Bonjour", "Léa")
    fake.fail("cut", method="POST", after=True)
    with pytest.raises(TransientError) as caught:
        graph(fake).change(comment.id, is_hidden=True)
    assert not isinstance(caught.value, OutcomeUnknownError)
    graph(fake).change(comment.id, is_hidden=True)
    assert fake.world.things[comment.id].hidden


def fault(code: int, words: str = "No.", subcode: int = 0, **more: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": words, "error_subcode": subcode, **more}}


CODES: list[tuple[dict[str, Any], type[ComptoirError], str]] = [
    (fault(4), TransientError, "limit"),
    (fault(17), TransientError, "limit"),
    (fault(32), TransientError, "limit"),
    (fault(613), TransientError, "limit"),
    (fault(80001), TransientError, "limit"),
    (fault(80002), TransientError, "limit"),
    (fault(80006, is_transient=True), TransientError, "limit"),
    (fault(1), TransientError, "out of order"),
    (fault(2), TransientError, "out of order"),
    (fault(1234, is_transient=True), TransientError, "out of order"),
    (fault(190), ConfigurationError, "access_token"),
    (fault(190, subcode=458), ConfigurationError, "app was removed"),
    (fault(190, subcode=459), ConfigurationError, "log in on facebook.com"),
    (fault(190, subcode=460), ConfigurationError, "changed the password"),
    (fault(190, subcode=463), ConfigurationError, "expired"),
    (fault(190, subcode=467), ConfigurationError, "revoked"),
    (fault(190, subcode=492), ConfigurationError, "role on the Page"),
    (fault(102), ConfigurationError, "access_token"),
    (fault(10, "(#10) requires the 'pages_read_engagement' permission"), ConfigurationError, "pages_read_engagement"),
    (fault(200), ConfigurationError, "pages_read_user_content"),
    (fault(283, "Requires pages_read_user_content"), ConfigurationError, "pages_read_user_content"),
    (fault(10, subcode=2018278), RefusedError, "24 hours"),
    (fault(10, subcode=2534022), RefusedError, "24 hours"),
    (fault(551, subcode=1545041), RefusedError, "takes none"),
    (fault(200, subcode=2534041), ConfigurationError, "access for connected tools"),
    (fault(100, subcode=33), GoneError, "no longer shows"),
    (fault(803), GoneError, "no longer shows"),
    (fault(100, "(#100) Tried accessing nonexisting field (x)"), RefusedError, "nonexisting field"),
    (fault(368), TransientError, "blocked"),
    (fault(10900), RefusedError, "only once"),
    (fault(100, "Invalid appsecret_proof provided in the API argument"), ConfigurationError, "setting app_secret"),
    (fault(2635, "deprecated version"), ConfigurationError, "setting version"),
    ({"error_code": 190, "error_msg": "dead"}, ConfigurationError, "access_token"),
    ({"error": "invalid_token", "error_description": "OAuth token is dead"}, ConfigurationError, "access_token"),
]


@pytest.mark.parametrize(("body", "expected", "words"), CODES)
def test_codes(fake: FakeMeta, body: dict[str, Any], expected: type[ComptoirError], words: str) -> None:
    fake.fail("status", status=400, data=body)
    with pytest.raises(expected, match=words) as caught:
        feed(graph(fake))
    assert type(caught.value) in {expected, NotAllowedError}


def test_no_message_holds_a_secret(fake: FakeMeta) -> None:
    """Meta itself quotes the token that it does not like."""
    client = graph(fake, token="EAAB-another-token-999")
    with pytest.raises(ConfigurationError, match="Cannot parse access token …") as caught:
        feed(client)
    assert "EAAB" not in str(caught.value)
    assert "EAAB" not in repr(Keys("EAAB-another", SECRET)) and SECRET not in repr(Keys("EAAB-another", SECRET))


# -- limits ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, timedelta(minutes=30)),
        ({"Retry-After": "120"}, timedelta(minutes=2)),
        (
            {"X-Business-Use-Case-Usage": '{"1": [{"type": "pages", "estimated_time_to_regain_access": 42}]}'},
            timedelta(minutes=42),
        ),
    ],
)
def test_a_limit_says_how_long_to_wait(fake: FakeMeta, headers: dict[str, str], expected: timedelta) -> None:
    fake.fail("status", status=400, headers=headers, data=fault(80001))
    with pytest.raises(TransientError) as caught:
        feed(graph(fake))
    assert caught.value.retry_after == expected


def test_usage_is_read_on_every_answer_errors_included(fake: FakeMeta) -> None:
    client = graph(fake)
    fake.usage = 41
    feed(client)
    assert client.usage.share == 41
    fake.fail("status", status=400, headers={"X-App-Usage": '{"call_count": 97}'}, data=fault(4))
    with pytest.raises(TransientError):
        feed(client)
    assert client.usage.share == 97
    assert client.spent().call_count == 2 and client.spent().call_count == 0


@pytest.mark.parametrize(
    ("share", "slows", "stops", "minutes"),
    [(79, False, False, 0), (80, True, False, 5), (94, True, False, 56), (95, True, True, 60), (130, True, True, 60)],
)
def test_reading_slows_and_stops(share: int, slows: bool, stops: bool, minutes: int) -> None:
    usage = Usage("Facebook")
    usage.note({"X-Page-Usage": json.dumps({"call_count": share, "total_time": 3})})
    for ask, expected in ((usage.rest, slows), (usage.must_last, stops)):
        if not expected:
            ask()
            continue
        with pytest.raises(TransientError, match=f"{share} %") as caught:
            ask()
        assert caught.value.retry_after is not None
        assert round(caught.value.retry_after / timedelta(minutes=1)) == minutes


@pytest.mark.parametrize(
    "odd", ["", "{", "[]", "null", '{"a": 5}', '{"a": [5]}', '{"call_count": "x"}', '{"a": {"b": NaN}}']
)
def test_odd_usage_headers_do_no_harm(odd: str) -> None:
    usage = Usage("Facebook")
    for name in ("x-app-usage", "x-page-usage", "x-business-use-case-usage"):
        usage.note({name: odd})
        assert regained_in({name: odd}) is None
    usage.must_last()


def test_less_is_asked_for_where_it_was_too_much(fake: FakeMeta) -> None:
    for number in range(30):
        fake.world.post(f"n° {number}")
    fake.too_much = 20
    found = graph(fake).listing(PAGE, "feed", "id", limit=100)
    assert [request.params["limit"] for request in fake.requests] == ["100", "50", "25", "12"]
    assert len(found.items) == 12 and found.position
    fake.too_much = 1
    with pytest.raises(TransientError):
        graph(fake).listing(PAGE, "feed", "id", limit=100)


def test_a_batch_tells_what_is_gone_and_what_is_not(fake: FakeMeta) -> None:
    post = fake.world.post("Soldes")
    found = graph(fake).several([(post.id, "id,message"), ("1_2", "id"), (post.id, "odd_field")])
    assert [(one.data and one.data["message"], one.gone) for one in found] == [
        ("Soldes", False), (None, True), (None, False),
    ]  # fmt: skip
    fake.fail("status", status=200, data=[{"code": 400, "body": json.dumps(fault(32))}])
    with pytest.raises(TransientError):
        graph(fake).several([(post.id, "id")])
    fake.fail("status", status=200, data=[None])
    assert graph(fake).several([(post.id, "id")])[0] == found[2]
    fake.fail("status", status=200, data={"no": "list"})
    with pytest.raises(ContractError):
        graph(fake).several([(post.id, "id")])


def test_moments_of_the_fake_are_those_of_graph() -> None:
    assert written(NOW) == "2026-03-10T10:00:00+0000"
