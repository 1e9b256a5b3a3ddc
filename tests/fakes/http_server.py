"""What all fake vendors share: an HTTP server on this machine, a list of faults to order, and a memory of what was asked.

A vendor is a subclass of `FakeVendor` that answers `handle`; `serve(vendor)` runs it. Faults are ordered with `fail(...)`,
used up as often as they say, and take their error bodies from the vendor (`refusal`). "hang" and "cut" are carried out
*after* the vendor has handled the request where `after=True`: accepted, but never confirmed.
"""

import gzip
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

EFFECTS = ("status", "html", "truncated", "hang", "cut", "huge")
HTML = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>Sorry, we are back soon.</body></html>"


@dataclass(frozen=True)
class Request:
    """What was asked; header names in lower case."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def params(self) -> dict[str, str]:
        return dict(self.query)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.query if key in {name, f"{name}[]"}]

    @property
    def data(self) -> Any:
        """The body as JSON, or a form as a dictionary; None where there is none."""
        if "json" in self.headers.get("content-type", ""):
            return json.loads(self.body)
        return dict(parse_qsl(self.body.decode())) if self.body else None


@dataclass(frozen=True)
class Reply:
    """One answer; `data` is sent as JSON unless `body` is given."""

    data: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    content_type: str = "application/json; charset=utf-8"

    def written(self) -> bytes:
        if self.body is not None:
            return self.body
        return b"" if self.data is None else json.dumps(self.data, ensure_ascii=False).encode("utf-8", "surrogatepass")


@dataclass
class Fault:
    """One thing to go wrong.

    Attributes:
        path: start of the paths concerned; method: "" is any.
        headers: of the reply, where the effect is "status".
        after: let the vendor carry the request out first.
        skip: so many requests go well before.
    """

    effect: str
    path: str = "/"
    method: str = ""
    status: int = 503
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 1
    after: bool = False
    data: Any = None
    skip: int = 0


class FakeVendor:
    """Base of the fakes: state, faults, and what was asked."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.base = ""
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self.released = threading.Event()

    def fail(self, effect: str, **fields: Any) -> None:
        """Let something go wrong; see Fault."""
        assert effect in EFFECTS, effect
        self.faults.append(Fault(effect, **fields))

    def handle(self, request: Request) -> Reply:
        """What the vendor answers when all is well."""
        raise NotImplementedError

    def refusal(self, status: int) -> Any:
        """The body of an error in the vendor's own shape."""
        return {"error": f"status {status}"}

    def asked(self, path: str, method: str = "") -> list[Request]:
        """The requests whose path starts so."""
        return [one for one in self.requests if one.path.startswith(path) and method in {"", one.method}]

    def take_fault(self, request: Request) -> Fault | None:
        with self.lock:
            for fault in self.faults:
                if request.path.startswith(fault.path) and fault.method in {"", request.method}:
                    if fault.skip:
                        fault.skip -= 1
                        continue
                    fault.times -= 1
                    self.faults = [one for one in self.faults if one.times > 0]
                    return fault
        return None


Vendor = TypeVar("Vendor", bound=FakeVendor)


@contextmanager
def serve(vendor: Vendor) -> Iterator[Vendor]:
    """The vendor at work; its address is `vendor.base`."""
    server = _Server(("127.0.0.1", 0), _handler(vendor))
    vendor.base = f"http://127.0.0.1:{server.server_port}"
    vendor.released.clear()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield vendor
    finally:
        vendor.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: callers that hang up are what some tests are about."""


def _handler(vendor: FakeVendor) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each answer on a kept connection waits up to 40 ms

        def answer(self) -> None:
            request = _request(self)
            with vendor.lock:
                vendor.requests.append(request)
            fault = vendor.take_fault(request)
            try:
                if fault is None or fault.after or fault.effect == "truncated":
                    with vendor.lock:
                        reply = vendor.handle(request)
                else:
                    reply = Reply()
                self.send(_spoilt(vendor, fault, reply) if fault else reply, fault, request)
            except OSError:
                self.close_connection = True  # the reader has gone, which some tests are about

        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer()

        def do_PUT(self) -> None:
            self.answer()

        def do_PATCH(self) -> None:
            self.answer()

        def do_DELETE(self) -> None:
            self.answer()

        def send(self, reply: Reply, fault: Fault | None, request: Request) -> None:
            if fault and fault.effect in {"hang", "cut"}:
                if fault.effect == "hang":
                    vendor.released.wait(10)
                self.close_connection = True
                return
            body = reply.written()
            packed = "gzip" in request.headers.get("accept-encoding", "") and len(body) > 500
            sent = gzip.compress(body, 1) if packed else body
            if fault and fault.effect == "truncated":
                sent, packed = body[: len(body) // 2], False
            self.send_response(reply.status)
            for name, value in {"Content-Type": reply.content_type, **reply.headers}.items():
                self.send_header(name, value)
            if packed:
                self.send_header("Content-Encoding", "gzip")
            if fault and fault.effect == "huge":
                self.huge()
                return
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def huge(self) -> None:
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            for _ in range(300):
                self.wfile.write(b'["' + b"x" * (1024 * 1024))

        def log_message(self, *args: object) -> None:
            pass

    return Handler


def _request(handler: BaseHTTPRequestHandler) -> Request:
    parts = urlsplit(handler.path)
    headers = {name.lower(): value for name, value in handler.headers.items()}
    body = handler.rfile.read(int(headers.get("content-length", "0") or 0))
    return Request(handler.command, parts.path, tuple(parse_qsl(parts.query, keep_blank_values=True)), headers, body)


def _spoilt(vendor: FakeVendor, fault: Fault, reply: Reply) -> Reply:
    if fault.effect == "html":
        return Reply(status=fault.status, body=HTML, content_type="text/html; charset=utf-8")
    if fault.effect == "status":
        data = vendor.refusal(fault.status) if fault.data is None else fault.data
        return Reply(data, fault.status, fault.headers)
    return reply
