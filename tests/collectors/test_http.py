"""The web client for strangers' addresses: what it refuses, what it bounds, and what it says."""

import gzip
import socket
import ssl
import subprocess
import threading
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpcore
import pytest

from collectors.addresses import may_dial
from collectors.http import Policy, WebReader, wait_of
from domain.errors import ComptoirError, ConfigurationError, ContractError, TransientError
from tests.collectors.local_web import Reply, serving

NOW = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)
LOCAL = Policy(allow_private=True)


def reader(policy: Policy = LOCAL, **world: object) -> WebReader:
    return WebReader(policy, now=lambda: NOW, **world)  # type: ignore[arg-type]


class Phone(httpcore.NetworkBackend):
    """Notes whom it is asked to dial, and reaches nobody."""

    def __init__(self) -> None:
        self.dialled: list[str] = []

    def connect_tcp(self, host: str, *args: object, **kwargs: object) -> httpcore.NetworkStream:
        self.dialled.append(host)
        raise httpcore.ConnectError("nobody there")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.3.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.0.8",
        "192.0.2.1",
        "198.18.0.1",
        "203.0.113.7",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "192.88.99.1",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::808:808",
        "64:ff9b:1::1",
        "2001::1",
        "2002:7f00:1::1",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "nonsense",
    ],
)
def test_addresses_that_are_not_of_the_public_internet_are_never_dialled(address: str) -> None:
    phone = Phone()
    web = reader(Policy(), resolve=lambda host, port: [address], dial=phone)
    with pytest.raises(ConfigurationError, match="private or reserved network"):
        web.get("http://harmless.example/feed")
    assert phone.dialled == []


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946"])
def test_public_addresses_are_dialled(address: str) -> None:
    assert may_dial(address)


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "fe80::1", "224.0.0.1", "0.0.0.0", "240.0.0.1", "::ffff:10.0.0.1"]
)
def test_private_networks_when_allowed_do_not_include_what_no_server_of_ones_own_has(address: str) -> None:
    assert not may_dial(address, allow_private=True)
    assert may_dial("10.0.0.1", allow_private=True) and may_dial("::1", allow_private=True)
    assert may_dial("100.64.0.1", allow_private=True)


@pytest.mark.parametrize(
    "written", ["http://2130706433/", "http://0x7f.1/", "http://127.1/", "http://[::1]/", "http://localhost/"]
)
def test_other_ways_to_write_this_machine_are_seen_through(written: str) -> None:
    with pytest.raises(ConfigurationError, match="private or reserved"):
        reader(Policy()).get(written)


def test_a_name_is_resolved_once_and_the_checked_address_is_the_one_dialled() -> None:
    answers = [["127.0.0.1", "93.184.216.34"], ["127.0.0.1"], ["10.0.0.1"]]
    asked: list[str] = []

    def rebinding(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return answers[len(asked) - 1]

    phone = Phone()
    with pytest.raises(TransientError):
        reader(Policy(), resolve=rebinding, dial=phone).get("http://rebinding.example/")
    assert asked == ["rebinding.example"]
    assert phone.dialled == ["93.184.216.34"]


def test_the_next_address_is_tried_where_the_first_does_not_answer() -> None:
    phone = Phone()
    with pytest.raises(TransientError, match="cannot be reached"):
        reader(Policy(), resolve=lambda host, port: ["8.8.8.8", "8.8.4.4"], dial=phone).get("http://two.example/")
    assert phone.dialled == ["8.8.8.8", "8.8.4.4"]


def test_the_host_asked_for_is_named_whatever_address_is_dialled() -> None:
    with serving({"/": Reply(b"hello")}) as web:
        port = web.base.rpartition(":")[2]
        answer = reader(resolve=lambda host, port: ["127.0.0.1"]).get(f"http://shop.example:{port}/")
    assert answer.body == b"hello"
    assert web.requests[0][1]["host"] == f"shop.example:{port}"


def test_each_redirect_is_checked_anew() -> None:
    with serving({"/start": Reply(b"", 302, {"Location": "http://inside.example/"}), "/": Reply(b"secret")}) as web:
        port = web.base.rpartition(":")[2]
        places = {"outside.example": ["127.0.0.1"], "inside.example": ["169.254.169.254"]}
        with pytest.raises(ConfigurationError, match=r"inside\.example"):
            reader(resolve=lambda host, port: places[host]).get(f"http://outside.example:{port}/start")


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://example.org/", "gopher://x/", "javascript:alert(1)"])
def test_redirects_lead_to_the_web_only(target: str) -> None:
    with (
        serving({"/": Reply(b"", 302, {"Location": target})}) as web,
        pytest.raises(ComptoirError, match="web address"),
    ):
        reader().get(web.url("/"))


def test_redirects_are_followed_five_times() -> None:
    routes = {f"/{n}": Reply(b"", 302, {"Location": f"/{n + 1}"}) for n in range(6)}
    with serving({**routes, "/5": Reply(b"end")}) as web:
        assert reader().get(web.url("/0")).body == b"end"
    with serving({**routes, "/6": Reply(b"end")}) as web, pytest.raises(ContractError, match="more than 5 times"):
        reader().get(web.url("/0"))


def test_a_move_for_good_is_told_and_a_passing_one_is_not() -> None:
    routes = {
        "/old": Reply(b"", 301, {"Location": "/new"}),
        "/away": Reply(b"", 302, {"Location": "/new"}),
        "/new": Reply(b"x"),
    }
    with serving(routes) as web:
        assert reader().get(web.url("/old")).moved_to == web.url("/new")
        assert reader().get(web.url("/away")).moved_to == ""
        assert reader().get(web.url("/away")).url == web.url("/new")


@pytest.mark.parametrize(
    "address", ["file:///etc/passwd", "feed", "", "ftp://x/", "http://", "http://[::1", "http://a b/", "//x/y"]
)
def test_what_is_no_web_address_is_refused(address: str) -> None:
    with pytest.raises(ConfigurationError, match="is no web address"):
        reader().get(address)


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigurationError, match="password") as caught:
        reader().get("https://awa:hunter2@blog.example/feed")
    assert "hunter2" not in str(caught.value)


def test_answers_larger_than_the_limit_are_refused() -> None:
    small = Policy(allow_private=True, size_limit=1000)
    routes = {
        "/said": Reply(b"x", headers={"Content-Length": "5000"}, pieces=(b"x" * 5000,)),
        "/unsaid": Reply(pieces=tuple([b"x" * 100] * 50)),
        "/fits": Reply(b"x" * 1000),
    }
    with serving(routes) as web:
        for path in ("/said", "/unsaid"):
            with pytest.raises(ContractError, match="larger than"):
                reader(small).get(web.url(path))
        assert len(reader(small).get(web.url("/fits")).body) == 1000


def test_a_zip_bomb_is_refused_in_little_memory() -> None:
    bomb = gzip.compress(b"\0" * 100_000_000)
    with serving({"/": Reply(bomb, headers={"Content-Encoding": "gzip"})}) as web:
        tracemalloc.start()
        try:
            with pytest.raises(ContractError, match="larger than 10 MB"):
                reader().get(web.url("/"))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 60_000_000


def test_gzip_is_unpacked_and_other_packings_are_refused() -> None:
    packed = gzip.compress("déçu".encode())
    routes = {
        "/gzip": Reply(packed, headers={"Content-Encoding": "gzip"}),
        "/brotli": Reply(b"...", headers={"Content-Encoding": "br"}),
        "/torn": Reply(packed[:-9], headers={"Content-Encoding": "gzip"}),
        "/lie": Reply(b"plain", headers={"Content-Encoding": "gzip"}),
    }
    with serving(routes) as web:
        assert reader().get(web.url("/gzip")).body.decode() == "déçu"
        with pytest.raises(ContractError, match="br"):
            reader().get(web.url("/brotli"))
        with pytest.raises(TransientError, match="broke off"):
            reader().get(web.url("/torn"))
        with pytest.raises(ContractError, match="cannot be unpacked"):
            reader().get(web.url("/lie"))


def test_what_has_not_changed_is_not_sent_again() -> None:
    def page(headers: dict[str, str]) -> Reply:
        if (
            headers.get("if-none-match") == '"v1"'
            and headers.get("if-modified-since") == "Tue, 10 Mar 2026 09:00:00 GMT"
        ):
            return Reply(b"", 304)
        return Reply(b"news", headers={"ETag": '"v1"', "Last-Modified": "Tue, 10 Mar 2026 09:00:00 GMT"})

    with serving({"/": page, "/odd": Reply(b"", 304)}) as web:
        first = reader().get(web.url("/"))
        again = reader().get(web.url("/"), etag=first.etag, last_modified=first.last_modified)
        with pytest.raises(ContractError, match="not modified"):
            reader().get(web.url("/odd"))
    assert (first.body, first.not_modified) == (b"news", False)
    assert (again.body, again.not_modified) == (b"", True)


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (401, ConfigurationError, "login"),
        (403, ConfigurationError, "not open to us"),
        (404, ConfigurationError, "nothing at"),
        (410, ConfigurationError, "nothing at"),
        (418, ConfigurationError, "418"),
        (408, TransientError, "tried again"),
        (429, TransientError, "tried again"),
        (500, TransientError, "out of order"),
        (503, TransientError, "out of order"),
    ],
)
def test_refusals_are_told_in_words(status: int, error: type[Exception], words: str) -> None:
    with serving({"/": Reply(b"", status)}) as web, pytest.raises(error, match=words):
        reader().get(web.url("/"))


def test_the_wait_that_a_server_asks_for_is_kept() -> None:
    with serving({"/": Reply(b"", 429, {"Retry-After": "120"})}) as web, pytest.raises(TransientError) as caught:
        reader().get(web.url("/"))
    assert caught.value.retry_after == timedelta(minutes=2)


@pytest.mark.parametrize(
    ("written", "wait"),
    [
        ("0", timedelta()),
        ("Tue, 10 Mar 2026 10:05:00 GMT", timedelta(minutes=5)),
        ("Tue, 10 Mar 2026 09:00:00 GMT", timedelta()),
        ("99999999999999999999", timedelta(days=1)),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_retry_after_is_read_in_all_its_forms(written: str, wait: timedelta | None) -> None:
    assert wait_of(written, NOW) == wait


def test_a_server_that_sends_drop_by_drop_is_left_at_the_deadline() -> None:
    hours = iter(range(1_000_000))

    def clock() -> float:
        return next(hours) * 4.0  # each look at the clock is four seconds later than the one before

    with (
        serving({"/": Reply(pieces=tuple([b"x" * 40_000] * 200))}) as web,
        pytest.raises(TransientError, match="in time"),
    ):
        reader(monotonic=clock).get(web.url("/"))


def test_a_server_that_says_nothing_is_left_after_the_read_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TransientError, match="in time"):
        policy = Policy(allow_private=True, read_timeout=timedelta(milliseconds=50))
        reader(policy).get(f"http://127.0.0.1:{silent.getsockname()[1]}/")


@pytest.mark.parametrize(
    "said", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf"]
)
def test_servers_that_break_off_or_speak_something_else(said: bytes) -> None:
    with (
        speaking(lambda connection: connection.sendall(said)) as port,
        pytest.raises(TransientError, match="broke off"),
    ):
        reader().get(f"http://127.0.0.1:{port}/")


def test_unreachable_and_unknown_hosts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(TransientError, match="cannot be reached"):
        reader().get(f"http://127.0.0.1:{port}/")

    def unknown(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    with pytest.raises(TransientError, match="was not found"):
        reader(resolve=unknown).get("http://no-such-host.example/")


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with serving({"/": Reply(b"direct")}) as web:
        assert reader().get(web.url("/")).body == b"direct"


def test_the_certificate_must_be_the_hosts_and_the_host_is_named_in_the_handshake(certificate: Path) -> None:
    named: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda connection, name, _: named.append(name)

    def greet(connection: socket.socket) -> None:
        try:
            with context.wrap_socket(connection, server_side=True) as secured:
                secured.recv(4096)
                secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        except OSError:
            pass  # the reader did not like the certificate

    trusting = ssl.create_default_context(cafile=certificate)
    local = {"resolve": lambda host, port: ["127.0.0.1"]}
    with speaking(greet) as port:
        assert reader(tls=trusting, **local).get(f"https://shop.example:{port}/").body == b"hello"
    assert named == ["shop.example"]
    with speaking(greet) as port, pytest.raises(TransientError, match=r"certificate of other\.example"):
        reader(tls=trusting, **local).get(f"https://other.example:{port}/")
    with speaking(greet) as port, pytest.raises(TransientError, match=r"certificate of shop\.example"):
        reader(**local).get(f"https://shop.example:{port}/")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of shop.example in one file, trusted by nobody but who names it."""
    file = tmp_path_factory.mktemp("tls") / "shop.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=shop.example"
    names = ["-addext", "subjectAltName=DNS:shop.example", "-keyout", str(file), "-out", f"{file}.crt"]
    try:
        subprocess.run(["openssl", *words.split(), *names], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("needs the openssl command to make a certificate")
    file.write_text(file.read_text() + Path(f"{file}.crt").read_text())
    return file


class speaking:  # noqa: N801 - used as a function
    """A server that does one thing with the first connection, then hangs up; gives its port."""

    def __init__(self, speak: Callable[[socket.socket], None]) -> None:
        self._speak = speak

    def __enter__(self) -> int:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return int(self._server.getsockname()[1])

    def __exit__(self, *error: object) -> None:
        self._server.close()
        self._thread.join()

    def _serve(self) -> None:
        connection, _ = self._server.accept()
        with connection:
            self._speak(connection)
