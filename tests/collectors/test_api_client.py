"""The client for vendors' interfaces: what it sends, what it bounds, how it judges, and what it never says."""

import json
import logging
import ssl
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpcore
import pytest

from collectors.api_client import Answer, ApiClient
from collectors.limits import Allowance, Rate, rate_of, wait_in
from domain.errors import (
    ComptoirError,
    ConfigurationError,
    ContractError,
    OutcomeUnknownError,
    RefusedError,
    TransientError,
)
from tests.fakes.http_server import FakeVendor, Reply, Request, serve

NOW = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)
TOKEN = "very-secret-token-42"


class Echo(FakeVendor):
    """Says what it was asked; `answers` are given first."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[Reply] = []

    def handle(self, request: Request) -> Reply:
        if self.answers:
            return self.answers.pop(0)
        return Reply({"method": request.method, "path": request.path, "query": request.query, "data": request.data})


@pytest.fixture
def vendor() -> Iterator[Echo]:
    with serve(Echo()) as echo:
        yield echo


def client(base: str, **options: Any) -> ApiClient:
    given = {"headers": {"Authorization": f"Bearer {TOKEN}"}, "now": lambda: NOW, "allow_private": True}
    return ApiClient(base, **{"timeout": 0.3, "name": "Vendor", **given, **options})


# -- what is sent ----------------------------------------------------------------------------------------------------------


def test_parameters_bodies_and_forms_arrive_as_written(vendor: Echo) -> None:
    with_path = client(vendor.base + "/api/")
    answer = with_path.json("GET", "/v1/é", params={"types": ["a", "b"], "none": None, "q": "été & co", "flag": True})
    assert answer.data["path"] == "/api/v1/%C3%A9"
    assert answer.data["query"] == [["types", "a"], ["types", "b"], ["q", "été & co"], ["flag", "true"]]
    assert with_path.json("POST", "x", body={"a": ["é"]}, write=True).data["data"] == {"a": ["é"]}
    assert with_path.json("POST", "x", form={"a": "é", "b": None}, write=True).data["data"] == {"a": "é"}
    with_path.json("POST", "x", idempotency_key="k1", headers={"X-More": "yes"}, write=True)
    sent = vendor.requests[-1].headers
    assert (sent["idempotency-key"], sent["x-more"], sent["authorization"]) == ("k1", "yes", f"Bearer {TOKEN}")


@pytest.mark.parametrize("path", ["https://evil.example/x", "//evil.example/x", "/../x", "@evil.example/x"])
def test_no_path_leads_to_another_host(vendor: Echo, path: str) -> None:
    client(vendor.base).json("GET", path)
    assert len(vendor.requests) == 1 and vendor.requests[0].headers["host"] == vendor.base.removeprefix("http://")


def test_a_connection_is_kept_for_reading_and_none_for_writing(vendor: Echo) -> None:
    dialled: list[str] = []

    class Counting(httpcore.SyncBackend):
        def connect_tcp(self, host: str, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
            dialled.append(host)
            return super().connect_tcp(host, *args, **kwargs)

    counted = client(vendor.base, dial=Counting())
    for _ in range(3):
        counted.json("GET", "/")
    assert len(dialled) == 1
    for _ in range(2):
        counted.json("POST", "/", write=True)
    assert len(dialled) == 3
    counted.close()


def test_a_kept_connection_that_was_hung_up_is_no_error(vendor: Echo) -> None:
    reading = client(vendor.base)
    for times in (1, 1, 2):
        reading.json("GET", "/first")
        vendor.fail("cut", path="/second", times=times)
        if times == 1:
            assert reading.json("GET", "/second").status == 200
        else:
            with pytest.raises(TransientError, match="broke off"):  # asked once more, not for ever
                reading.json("GET", "/second")
    assert len(vendor.asked("/second")) == 6


def test_the_deadline_starts_anew_with_each_request(vendor: Echo) -> None:
    clock = iter(range(0, 10_000, 40))
    patient = client(vendor.base, deadline=1_000_000.0, monotonic=lambda: float(next(clock)))
    for _ in range(3):
        assert patient.json("GET", "/").elapsed > timedelta()
    hasty = client(vendor.base, deadline=90.0, monotonic=lambda: float(next(clock)))
    with pytest.raises(TransientError, match="did not answer in time"):
        hasty.json("GET", "/")


# -- where it may go -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "words"),
    [
        ("", "no address of a server"),
        ("ftp://x.example", "no address of a server"),
        ("https://", "no address of a server"),
        ("https://x.example/?token=1", "no address of a server"),
        ("https://a:b@x.example", "user name or password"),
        ("http://x.example", "Write https://"),
        ("https://x.exa mple", "no address of a server"),
    ],
)
def test_a_base_that_no_token_may_go_to_is_refused(base: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        ApiClient(base)


def test_private_addresses_are_reached_only_where_allowed() -> None:
    with pytest.raises(ConfigurationError, match="private or reserved"):
        ApiClient("https://inside.example", resolve=lambda host, port: ["10.0.0.1"]).json("GET", "/")


def test_no_token_travels_openly_through_the_internet() -> None:
    with pytest.raises(ConfigurationError, match="Write https"):
        client("http://outside.example", resolve=lambda host, port: ["8.8.8.8"]).json("GET", "/")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(vendor: Echo, status: int) -> None:
    vendor.answers.append(Reply({}, status, {"Location": f"{vendor.base}/elsewhere"}))
    with pytest.raises(ConfigurationError, match="has moved"):
        client(vendor.base).json("GET", "/")
    assert len(vendor.requests) == 1


# -- how answers are judged ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "read", "write", "words"),
    [
        (400, {"error": "text is too long"}, RefusedError, RefusedError, "too long"),
        (401, {"error": {"message": "expired"}}, ConfigurationError, ConfigurationError, "expired.*at the vendor's"),
        (403, {"errors": [{"detail": "scope missing"}]}, ConfigurationError, ConfigurationError, "scope missing"),
        (404, None, RefusedError, RefusedError, "404"),
        (422, {"title": "no", "detail": "nothing new"}, RefusedError, RefusedError, "nothing new"),
        (429, {}, TransientError, TransientError, "asks us to wait"),
        (500, {}, TransientError, OutcomeUnknownError, "out of order"),
        (502, None, TransientError, OutcomeUnknownError, "out of order"),
        (503, {}, TransientError, TransientError, "out of order"),
        (304, None, ContractError, ContractError, "304"),
    ],
)
def test_a_status_means_what_to_do_next(
    vendor: Echo, status: int, body: Any, read: type[Exception], write: type[Exception], words: str
) -> None:
    for writes, expected in ((False, read), (True, write)):
        vendor.answers.append(Reply(body, status))
        with pytest.raises(ComptoirError, match=f"(?s){words}") as caught:
            client(vendor.base, renew="Renew it at the vendor's.").json("POST", "/x", write=writes)
        assert type(caught.value) is expected


def test_allowed_statuses_are_answers(vendor: Echo) -> None:
    vendor.answers += [Reply({"error": "gone"}, 404), Reply(None, 410), Reply(None, 204)]
    answers = [client(vendor.base).json("GET", "/x", allow=(404, 410)) for _ in range(3)]
    assert [(answer.status, answer.data) for answer in answers] == [(404, {"error": "gone"}), (410, None), (204, None)]


def test_the_vendors_own_rules_come_first_and_every_answer_is_seen(vendor: Echo) -> None:
    seen: list[int] = []

    def refuse(answer: Answer) -> Exception | None:
        assert (answer.method, answer.path, answer.write) == ("POST", "/x", True)
        return RefusedError("duplicate") if "duplicate" in str(answer.data) else None

    strict = client(vendor.base, refuse=refuse, on_answer=lambda answer: seen.append(answer.status))
    vendor.answers += [Reply({"errors": ["duplicate"]}), Reply({"errors": ["duplicate"]}, 403), Reply({}, 200)]
    for _ in range(2):
        with pytest.raises(RefusedError, match="duplicate"):
            strict.json("POST", "/x", write=True)
    assert strict.json("POST", "/x", write=True).data == {}
    assert seen == [200, 403, 200]


@pytest.mark.parametrize("effect", ["html", "truncated"])
def test_what_is_no_json_is_told(vendor: Echo, effect: str) -> None:
    vendor.fail(effect, status=200, times=2)
    with pytest.raises(ContractError, match=r"web page|damaged"):
        client(vendor.base).json("GET", "/x")
    with pytest.raises(OutcomeUnknownError, match="may have been carried out"):
        client(vendor.base).json("POST", "/x", write=True)


def test_an_error_page_is_judged_by_its_status(vendor: Echo) -> None:
    vendor.fail("html", status=502)
    with pytest.raises(TransientError, match="out of order"):
        client(vendor.base).json("GET", "/x")


@pytest.mark.parametrize("effect", ["hang", "cut"])
def test_silence_after_a_write_is_not_taken_for_an_answer(vendor: Echo, effect: str) -> None:
    vendor.fail(effect, times=2, after=True)
    with pytest.raises(TransientError) as caught:
        client(vendor.base).json("GET", "/x")
    assert type(caught.value) is TransientError
    with pytest.raises(OutcomeUnknownError, match="may have been carried out"):
        client(vendor.base).json("POST", "/x", write=True)


def test_a_write_that_never_left_is_worth_another_try(vendor: Echo) -> None:
    class Nobody(httpcore.NetworkBackend):
        def __init__(self, error: Exception) -> None:
            self.error = error

        def connect_tcp(self, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
            raise self.error

    for error in (httpcore.ConnectError("refused"), httpcore.ConnectTimeout("slow")):
        with pytest.raises(TransientError) as caught:
            client(vendor.base, dial=Nobody(error)).json("POST", "/x", write=True)
        assert type(caught.value) is TransientError
    unknown_host = client("http://nowhere.example", resolve=_no_such_host)
    with pytest.raises(TransientError, match="was not found") as caught:
        unknown_host.json("POST", "/x", write=True)
    assert type(caught.value) is TransientError


def _no_such_host(host: str, port: int) -> list[str]:
    raise OSError(host)


def test_a_server_without_a_certificate_is_not_told_the_token(vendor: Echo) -> None:
    secured = client(vendor.base.replace("http://", "https://"), tls=ssl.create_default_context())
    with pytest.raises(TransientError) as caught:
        secured.json("POST", "/x", write=True)
    assert type(caught.value) is TransientError and vendor.requests == []


def test_a_huge_body_is_refused_in_bounded_memory(vendor: Echo) -> None:
    vendor.fail("huge", times=2)
    tracemalloc.start()
    with pytest.raises(ContractError, match="more than 2 MB"):
        client(vendor.base, max_bytes=2 * 1024 * 1024).json("GET", "/x")
    with pytest.raises(OutcomeUnknownError, match="more than 2 MB"):
        client(vendor.base, max_bytes=2 * 1024 * 1024).json("POST", "/x", write=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * 1024 * 1024


def test_a_packed_bomb_is_refused_before_it_is_unpacked(vendor: Echo) -> None:
    vendor.answers.append(Reply("0" * 50_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(ContractError, match="more than 1 MB"):
            client(vendor.base, max_bytes=1024 * 1024, timeout=10.0).json("GET", "/x", headers={"X": "y"})
    finally:
        tracemalloc.stop()


def test_odd_json_is_read_without_harm(vendor: Echo) -> None:
    vendor.answers += [
        Reply(body=b'{"a": NaN, "b": -Infinity, "c": "\\ud800"}'),
        Reply(body=b"[" * 200_000),
        Reply(body=b'\xef\xbb\xbf{"a": 1}'),
    ]
    assert client(vendor.base).json("GET", "/").data == {"a": None, "b": None, "c": "\ud800"}
    with pytest.raises(ContractError):
        client(vendor.base).json("GET", "/")
    assert client(vendor.base).json("GET", "/").data == {"a": 1}


def test_other_bodies_are_read_raw(vendor: Echo) -> None:
    vendor.answers += [Reply(body=b"a;b\n1;2\n", content_type="text/csv"), Reply({"error": "none"}, 404)]
    assert client(vendor.base).raw("GET", "/report").data == b"a;b\n1;2\n"
    with pytest.raises(RefusedError, match="none"):
        client(vendor.base).raw("GET", "/report")


# -- secrets ---------------------------------------------------------------------------------------------------------------


def test_the_token_is_in_no_message_and_no_log(vendor: Echo, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    vendor.answers += [
        Reply({"error": f"bad token {TOKEN} given, password hunter22"}, status) for status in (400, 401, 403)
    ]
    for _ in range(3):
        with pytest.raises(ComptoirError) as caught:
            client(vendor.base, secrets=["hunter22"]).json("GET", "/x", params={"access_token": TOKEN})
        assert "bad token …" in str(caught.value)
        assert TOKEN not in str(caught.value) and "hunter22" not in str(caught.value)
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("token", ["line\nbreak-secret", "clé-secrète-é…"])
def test_a_token_that_cannot_be_sent_is_told_without_quoting_it(vendor: Echo, token: str) -> None:
    with pytest.raises(ConfigurationError, match="characters that cannot be sent") as caught:
        client(vendor.base, headers={"Authorization": f"Bearer {token}"}).json("GET", "/")
    assert caught.value.__cause__ is None and caught.value.__suppress_context__
    assert token not in str(caught.value)


# -- limits ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"Retry-After": "30"}, timedelta(seconds=30)),
        ({"Retry-After": "0.5"}, timedelta(seconds=1)),
        ({"Retry-After": "Tue, 10 Mar 2026 10:02:00 GMT"}, timedelta(minutes=2)),
        ({"Retry-After": "999999999"}, timedelta(days=1)),
        ({"Retry-After": "soon"}, None),
        ({"x-rate-limit-reset": str(int(NOW.timestamp()) + 90)}, timedelta(seconds=90)),
        ({"X-RateLimit-Reset": "2026-03-10T10:05:00.123456Z"}, timedelta(minutes=5, microseconds=123456)),
        ({"X-RateLimit-Reset": "240"}, timedelta(minutes=4)),
        ({"ratelimit-reset": str((int(NOW.timestamp()) + 7) * 1000)}, timedelta(seconds=7)),
        ({"RateLimit": "limit=100, remaining=0, reset=45"}, timedelta(seconds=45)),
        ({"RateLimit": '"default";r=0;t=12'}, timedelta(seconds=12)),
        ({"X-RateLimit-Reset": "2026-03-10T09:00:00Z"}, timedelta(seconds=1)),
        ({"X-RateLimit-Reset": "yesterday"}, None),
        ({"X-RateLimit-Reset": "999999999999999"}, None),
        ({"X-RateLimit-Reset": "9999999999"}, timedelta(days=1)),
        ({"Retry-After": "5", "X-RateLimit-Reset": "500"}, timedelta(seconds=5)),
    ],
)
def test_how_long_to_wait_however_it_is_spelled(vendor: Echo, headers: dict[str, str], wait: timedelta | None) -> None:
    assert wait_in(headers, NOW) == wait
    vendor.answers.append(Reply({}, 429, headers))
    with pytest.raises(TransientError) as caught:
        client(vendor.base).json("POST", "/", write=True)
    assert caught.value.retry_after == wait


def test_what_is_left_is_kept_for_answers() -> None:
    allowance = Allowance("Vendor")
    allowance.must_last(NOW)
    reset = NOW + timedelta(minutes=5)

    def told(remaining: int) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": "300",
            "X-RateLimit-Remaining": str(remaining),
            "X-RateLimit-Reset": reset.isoformat(),
        }

    assert rate_of(told(31), NOW) == Rate(300, 31, reset)
    allowance.note(told(31), NOW)
    allowance.must_last(NOW)
    allowance.note(told(30), NOW)
    allowance.note({}, NOW)  # an answer without the headers does not unsay it
    with pytest.raises(TransientError, match="kept for answers") as caught:
        allowance.must_last(NOW)
    assert caught.value.retry_after == timedelta(minutes=5)
    allowance.must_last(reset)


@pytest.mark.parametrize("spoil", [lambda text: text, lambda text: text[:-1]])
def test_an_answer_is_what_was_sent_or_an_error(vendor: Echo, spoil: Callable[[str], str]) -> None:
    body = spoil(json.dumps({"n": list(range(1000))}))
    vendor.answers.append(Reply(body=body.encode()))
    try:
        assert client(vendor.base).json("GET", "/").data == {"n": list(range(1000))}
    except ContractError:
        assert not body.endswith("}")
