"""A web server on this machine, for tests of what reads the web: routes are functions, requests are remembered."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Reply:
    """One answer; `pieces` are sent one after the other, without a length, where there is no `body`."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: tuple[bytes, ...] = ()


@dataclass
class LocalWeb:
    """Where the server is, what it answers (path -> what makes the reply), and what it was asked."""

    base: str
    routes: dict[str, Callable[[Mapping[str, str]], Reply]]
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def url(self, path: str) -> str:
        return self.base + path


@contextmanager
def serving(routes: Mapping[str, Callable[[Mapping[str, str]], Reply] | Reply]) -> Iterator[LocalWeb]:
    web = LocalWeb("", {path: _function(route) for path, route in routes.items()})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            web.requests.append((self.path, headers))
            route = web.routes.get(self.path)
            _send(self, route(headers) if route else Reply(b"nothing here", 404))

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    web.base = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _function(route: Callable[[Mapping[str, str]], Reply] | Reply) -> Callable[[Mapping[str, str]], Reply]:
    return (lambda _: route) if isinstance(route, Reply) else route


def _send(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    handler.send_response(reply.status)
    for name, value in reply.headers.items():
        handler.send_header(name, value)
    if not reply.pieces and "Content-Length" not in reply.headers:
        handler.send_header("Content-Length", str(len(reply.body)))
    try:
        handler.end_headers()
        for piece in reply.pieces or (reply.body,):
            handler.wfile.write(piece)
            handler.wfile.flush()
    except OSError:
        handler.close_connection = True  # the reader has had enough, which some tests are about
