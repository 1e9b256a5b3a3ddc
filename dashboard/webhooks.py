"""The address at which vendors tell by themselves: `GET|POST /hooks/<source>`, answered within a second.

Here is what concerns HTTP: sizes, times, floods; and that a delivery is kept raw before its sender hears yes. Whether it is
genuine is asked of the source's collector, which the door brings (`use_receiver`); the worker reads it later (`unpack`).
Nothing on this path asks a network or reads what a delivery says.
"""

import asyncio
import logging
import re
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from functools import partial
from threading import Lock

import anyio
from anyio.to_thread import run_sync
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from dashboard.main import open_shop
from domain.clock import Now, utc_now
from domain.contracts import Delivery, WebhookAnswer
from domain.errors import ComptoirError
from store import Store
from store.sources import Source

log = logging.getLogger("comptoir.webhooks")

MAX_BYTES = 5 * 2**20  # of one body
MAX_HELD = 64 * 2**20  # of all bodies that are being received
BODY_WITHIN = 10.0  # seconds for a body to arrive
ANSWER_WITHIN = 0.8  # seconds from there to the answer
_DRAINED = 32 * 2**20  # of a body that is too large: read and let go, so that its sender hears why
_AT_ONCE = 8  # deliveries that are checked and kept at the same time
_KEY = re.compile(r"[a-z0-9_-]{1,80}")

UNKNOWN = WebhookAnswer(
    404, "nothing is here"
)  # the same for whatever does not hear webhooks: it tells nobody which exist
TOO_LARGE = WebhookAnswer(413, f"a delivery may have {MAX_BYTES // 2**20} MB")
TOO_SLOW = WebhookAnswer(408, "the body did not arrive in time")
BROKEN_OFF = WebhookAnswer(400, "the body broke off")
TOO_OFTEN = WebhookAnswer(429, "too many deliveries that were turned away: wait a minute")
BUSY = WebhookAnswer(503, "not now: send it again")

# The collector's word on a delivery; None where the source hears no webhooks. In milliseconds, without asking anybody.
Receive = Callable[[Source, Delivery], WebhookAnswer | None]
_BROUGHT: dict[str, Receive] = {}  # by the process's door, before anybody calls


def use_receiver(receive: Receive) -> None:
    """Let the door bring what asks a source's collector: the dashboard itself knows none."""
    _BROUGHT["receive"] = receive


class Reception:
    """Hears deliveries, and remembers who sent many that were turned away.

    Args:
        open_store, receive, now, monotonic: the outer world; tests hand in their own.
    """

    def __init__(
        self,
        open_store: Callable[[], Store] = lambda: open_shop()[1],
        receive: Receive | None = None,
        now: Now = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open_store, self._receive, self._now = open_store, receive, now
        self._held = 0
        self._places = anyio.CapacityLimiter(_AT_ONCE)
        self._failures = Allowance(30, monotonic)  # of one sender, a minute
        self._counted = Allowance(60, monotonic)  # of one source: a flood must not keep the store busy
        self._uncounted: Counter[tuple[str, str]] = Counter()
        self._lock = Lock()

    async def hook(self, request: Request) -> Response:
        """One delivery or challenge."""
        key = str(request.path_params["source"])
        body = bytearray()
        try:
            answer = await self._read(request, body)
            act = (
                partial(self._turn_away, key, answer)
                if answer
                else partial(self._answer, key, _told(request, body, self._now))
            )
            answer = await self._within(act)
        finally:
            self._held -= len(body)
        failed = 400 <= answer.status < 500
        if failed and not self._failures.take(request.client.host if request.client else ""):
            answer = TOO_OFTEN  # who signs well is never held up by those who do not
        return _response(answer)

    async def _read(self, request: Request, body: bytearray) -> WebhookAnswer | None:
        """Fill the body; an answer where it cannot be taken."""
        length = request.headers.get("content-length", "")
        too_large, seen = length.isdecimal() and (len(length) > 15 or int(length) > MAX_BYTES), 0
        try:
            async with asyncio.timeout(BODY_WITHIN):
                async for part in request.stream():
                    seen += len(part)
                    too_large = too_large or seen > MAX_BYTES
                    if too_large:
                        self._held -= len(body)
                        body.clear()
                        if seen > _DRAINED:
                            break
                    elif self._held + len(part) > MAX_HELD:
                        return BUSY
                    else:
                        self._held += len(part)
                        body += part
        except TimeoutError:
            return TOO_SLOW
        except ClientDisconnect:
            return BROKEN_OFF
        return TOO_LARGE if too_large else None

    async def _within(self, act: Callable[[], WebhookAnswer]) -> WebhookAnswer:
        # Where the store is busy for longer, the sender is asked to repeat; what is kept meanwhile is kept once.
        with anyio.move_on_after(ANSWER_WITHIN):
            return await run_sync(act, abandon_on_cancel=True, limiter=self._places)
        return BUSY

    # -- in a thread -------------------------------------------------------------------------------------------------------

    def _answer(self, key: str, delivery: Delivery) -> WebhookAnswer:
        receive = self._receive or _BROUGHT.get("receive")
        if receive is None or not _KEY.fullmatch(key):
            return UNKNOWN
        try:
            store = self._open_store()
            source = store.sources.get(key)
            answer = receive(source, delivery) if source else None
            if answer is None:
                return UNKNOWN
            if answer.status >= 400:
                self._refuse(store, key, answer.body)
            elif answer.key:
                store.inbox.keep(key, answer.key, delivery)
        except ComptoirError as error:  # a setting or the store: its sender can only try again
            log.error("a delivery for %s could not be taken: %s", key, error)
            return BUSY
        return answer

    def _turn_away(self, key: str, answer: WebhookAnswer) -> WebhookAnswer:
        """Count what could not even be read, where there is such a source; who sent it learns no more than before."""
        if answer.status < 500 and _KEY.fullmatch(key):
            try:
                store = self._open_store()
                if store.sources.get(key):
                    self._refuse(store, key, answer.body)
            except ComptoirError as error:
                log.error("a delivery for %s could not be counted: %s", key, error)
        return answer

    def _refuse(self, store: Store, key: str, reason: str) -> None:
        with self._lock:
            self._uncounted[key, reason] += 1
            if not self._counted.take(key):
                return  # counted with the next one that may be
            counts = {one: count for one, count in self._uncounted.items() if one[0] == key}
            for one in counts:
                del self._uncounted[one]
        for (_, why), count in counts.items():
            log.warning("%s turned %d away: %s", key, count, why)
            store.inbox.refuse(key, why, self._now(), count)


class Allowance:
    """So many a minute for each, given back steadily; the quietest is forgotten where they are too many."""

    _KNOWN = 1_000

    def __init__(self, per_minute: int, monotonic: Callable[[], float]) -> None:
        self._per_minute, self._monotonic = per_minute, monotonic
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # how much is left, and when that was so
        self._lock = Lock()

    def take(self, who: str) -> bool:
        """One of it; False where nothing is left."""
        with self._lock:
            now = self._monotonic()
            left, at = self._left.pop(who, (float(self._per_minute), now))
            left = min(self._per_minute, left + (now - at) * self._per_minute / 60)
            allowed = left >= 1
            self._left[who] = (left - 1 if allowed else left, now)
            if len(self._left) > self._KNOWN:
                self._left.popitem(last=False)
            return allowed


def _told(request: Request, body: bytearray, now: Now) -> Delivery:
    return Delivery(request.method, dict(request.query_params), dict(request.headers.items()), bytes(body), now())


def _response(answer: WebhookAnswer) -> Response:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    if answer.status in {429, 503}:
        headers["Retry-After"] = "60"
    if answer.status in {408, 413, 503}:
        headers["Connection"] = "close"  # what else its sender has to say is not waited for
    return Response(answer.body, answer.status, headers, answer.content_type)
