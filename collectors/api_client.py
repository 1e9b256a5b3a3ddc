"""JSON over HTTPS with vendors that know us: `ApiClient`, one for each base address and token.

Time and size are bounded, nothing is redirected, nothing is retried, addresses are checked as in `addresses`, and what
goes wrong is one of `domain.errors`. A write that left and got no clear answer is OutcomeUnknownError, never a guess. What
a vendor means by its own error bodies is its module's matter: hand in `refuse`, or override it. The token is in `headers`
(or `secrets`) and in no message.
"""

import json
import ssl
import time
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpcore
import httpx

from collectors.addresses import Monotonic, Resolve, resolve
from collectors.api_line import Line, Sent, TooLargeError, World, checked_base
from collectors.limits import wait_in
from collectors.wire import reason_in
from domain.clock import Now, utc_now
from domain.errors import (
    ComptoirError,
    ConfigurationError,
    ContractError,
    OutcomeUnknownError,
    RefusedError,
    TransientError,
)

Params = Mapping[str, Any] | Sequence[tuple[str, Any]]

_AGENT = "Comptoir/0.1 (customer service of a shop)"
_NOT_CARRIED_OUT = frozenset({501, 503, 505})  # of a write: the server says that it did not even begin
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REASON_LIMIT = 300
_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a vendor answered.

    Attributes:
        headers: case does not matter when one is asked for.
        data: the JSON of the body; None where it is empty, or where an error comes without JSON. Bytes from `raw`.
        method, path, write: of the question, for `refuse`.
    """

    status: int
    headers: httpx.Headers
    data: Any
    elapsed: timedelta
    method: str = "GET"
    path: str = ""
    write: bool = False


class ApiClient:
    """Asks one vendor.

    Args:
        base: scheme, host and perhaps the start of the path; fixed for life.
        headers: sent with each request; those that authorise are cut out of every message.
        timeout: seconds without a sign of life; `deadline`: seconds for one whole request.
        max_bytes: of one body, unpacked.
        name: of the network, for messages; else the host.
        renew: where a person gets a new token and which setting it goes into; ends the message of a 401.
        secrets: further words that no message may hold (tokens in parameters, passwords).
        allow_private: also servers on this machine and in private networks, and these without encryption.
        on_answer: sees every answer, errors included, before it is judged (usage headers).
        refuse: the error that an answer stands for, else None; asked before the general rules, also for status 200.
        resolve, dial, tls, monotonic: the outer world; tests hand in their own.
    """

    def __init__(
        self,
        base: str,
        headers: Mapping[str, str] | None = None,
        timeout: float = 10.0,
        max_bytes: int = 10 * 1024 * 1024,
        now: Now = utc_now,
        *,
        name: str = "",
        renew: str = "",
        secrets: Collection[str] = (),
        allow_private: bool = False,
        deadline: float = 60.0,
        on_answer: Callable[[Answer], None] | None = None,
        refuse: Callable[[Answer], Exception | None] | None = None,
        resolve: Resolve = resolve,
        dial: httpcore.NetworkBackend | None = None,
        tls: ssl.SSLContext | None = None,
        monotonic: Monotonic = time.monotonic,
    ) -> None:
        self._base = checked_base(base, allow_private)
        self._headers = {"User-Agent": _AGENT, "Accept": "application/json", **(headers or {})}
        self._timeout, self._deadline, self._max_bytes = timeout, deadline, max_bytes
        self._now, self._monotonic = now, monotonic
        self.name = name or self._base.host
        self._renew = renew
        self._secrets = [word for word in (*secrets, *_tokens(self._headers)) if len(word) > 3]
        self._on_answer, self._refuse = on_answer, refuse
        self._world = World(allow_private, self._base.scheme == "https", resolve, dial, tls)
        self._reading = Line(self._world, deadline, monotonic)

    @property
    def base(self) -> str:
        """The address that everything is below."""
        return str(self._base)

    def json(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: Any = None,
        form: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        write: bool = False,
        idempotency_key: str = "",
        allow: Collection[int] = (),
    ) -> Answer:
        """One question, one JSON answer.

        Args:
            params: of the address; a value that is a list is repeated, None is left out.
            body: sent as JSON; `form`: sent as a form instead; `content`: sent as it is, for what is signed.
            write: it changes something: no answer then means that nobody knows.
            idempotency_key: the header Idempotency-Key.
            allow: statuses that are answers to the caller, not errors (404 of what may be gone).

        Raises:
            ConfigurationError: the token or a permission is missing, or the base address is wrong.
            TransientError: certainly not carried out, worth another try; with `retry_after` where the vendor says so.
            OutcomeUnknownError: a write that may have been carried out.
            RefusedError: understood and refused.
            ContractError: an answer that is no JSON, or too large.
        """
        request = self._request(method, path, params, body, form, headers, idempotency_key, content)
        answer = self._ask(request, path, write)
        answer = self._parsed(answer, write, strict=answer.status < 300 and answer.status not in allow)
        return self._judged(answer, allow)

    def raw(self, method: str, path: str, *, params: Params | None = None, allow: Collection[int] = ()) -> Answer:
        """As `json`, for what is none (a CSV report): `data` is bytes. Never a write."""
        answer = self._ask(self._request(method, path, params, None, None, {"Accept": "*/*"}, ""), path, False)
        if answer.status < 300:
            return self._judged(answer, allow)
        return self._judged(self._parsed(answer, False, strict=False), allow)

    def refuse(self, answer: Answer) -> Exception | None:
        """The error that an answer stands for by this vendor's rules; None: the general rules decide."""
        return self._refuse(answer) if self._refuse else None

    def add_secret(self, word: str) -> None:
        """A word learned later (a session's token) that no message may hold."""
        if len(word) > 3 and word not in self._secrets:
            self._secrets.append(word)

    def close(self) -> None:
        """Hangs up."""
        self._reading.close()

    # -- asking ----------------------------------------------------------------------------------------------------------

    def _request(
        self,
        method: str,
        path: str,
        params: Params | None,
        body: Any,
        form: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None,
        key: str,
        content: bytes | None = None,
    ) -> httpx.Request:
        sent = {**self._headers, **(headers or {}), "Accept-Encoding": "gzip"}
        if key:
            sent["Idempotency-Key"] = key
        for word in _tokens(sent):
            self.add_secret(word)
        try:
            return httpx.Request(
                method,
                self._url(path),
                params=_given(params),
                json=body,
                data=form and _given(form),
                content=content,
                headers=sent,
            )
        except (UnicodeError, ValueError, httpx.InvalidURL):
            raise self._unsendable() from None  # the cause quotes the header

    def _unsendable(self) -> ConfigurationError:
        return ConfigurationError(
            f"A setting of {self.name} holds characters that cannot be sent. Copy the token and the names again, without "
            "blanks and quotes."
        )

    def _url(self, path: str) -> httpx.URL:
        # Never joined as links are: a path that a vendor's answer gave must not lead to another host.
        return httpx.URL(str(self._base).rstrip("/") + "/" + path.lstrip("/"))

    def _ask(self, request: httpx.Request, path: str, write: bool) -> Answer:
        # A write gets a connection of its own: on a kept one that just went silent, nobody could tell whether it left.
        line = Line(self._world, self._deadline, self._monotonic, keep=False) if write else self._reading
        begun = self._monotonic()
        try:
            status, headers, body = self._carried(line, request, write)
        finally:
            if write:
                line.close()
        elapsed = timedelta(seconds=max(0.0, self._monotonic() - begun))
        return Answer(status, headers, body, elapsed, request.method, path, write)

    def _carried(
        self, line: Line, request: httpx.Request, write: bool, *, again: bool = True
    ) -> tuple[int, httpx.Headers, bytes]:
        sent = Sent()
        try:
            return line.carry(request, self._timeout, self._max_bytes, sent)
        except TooLargeError as error:
            words = f"{self.name} answered with more than {self._max_bytes / 1024 / 1024:,.0f} MB. It was not read."
            raise self._lost(words) if write else ContractError(words) from error
        except httpcore.LocalProtocolError:
            raise self._unsendable() from None  # the cause quotes the header
        except (zlib.error, httpcore.ProtocolError, httpcore.NetworkError, httpcore.TimeoutException) as error:
            late = isinstance(error, httpcore.TimeoutException)
            if not (again and sent.hung_up_before and not late and not write):
                raise self._broken(error, write and sent.left) from error
        return self._carried(line, request, write, again=False)

    def _broken(self, error: Exception, unknown: bool) -> TransientError:
        late = isinstance(error, httpcore.TimeoutException)
        if unknown:
            return self._lost(f"{self.name} {'did not answer in time' if late else 'broke off'}.")
        if late:
            return TransientError(f"{self.name} did not answer in time. It is tried again later.")
        if "CERTIFICATE" in str(error):
            return TransientError(f"The certificate of {self._base.host} is not valid ({error}). Tell its owner.")
        if isinstance(error, httpcore.ConnectError):
            return TransientError(f"{self.name} cannot be reached now. It is tried again later.")
        return TransientError(f"The answer of {self.name} broke off. It is tried again later.")

    def _lost(self, what: str) -> OutcomeUnknownError:
        return OutcomeUnknownError(f"{what} It may have been carried out: that is looked up before another try.")

    # -- judging ---------------------------------------------------------------------------------------------------------

    def _parsed(self, answer: Answer, write: bool, *, strict: bool) -> Answer:
        # Not strict: an error page is allowed to be no JSON; its status says enough.
        body: bytes = answer.data
        if not body.strip():
            return replace(answer, data=None)
        try:
            return replace(answer, data=json.loads(body, parse_constant=_no_number))
        except (ValueError, RecursionError) as error:
            if not strict:
                return replace(answer, data=None)
            start = body.lstrip()[:200].lower()
            if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<")):
                words = f"{self.name} answered with a web page instead of data: it is being repaired, or its address is wrong."
            else:
                words = f"The answer of {self.name} is damaged: it is no whole JSON."
            raise self._lost(words) if write else ContractError(f"{words} It is asked for again later.") from error

    def _judged(self, answer: Answer, allow: Collection[int]) -> Answer:
        if self._on_answer:
            self._on_answer(answer)
        if answer.status in allow:
            return answer
        error = self.refuse(answer) or self._error(answer)
        if error is None:
            return answer
        raise error

    def _error(self, answer: Answer) -> ComptoirError | None:
        status = answer.status
        if status < 300:
            return None
        if status in _REDIRECTS:
            return ConfigurationError(
                f"{self.name} has moved: {self._base.host} sends us elsewhere, where our token does not go. Put the new "
                "address into the settings of the source."
            )
        if status < 400:
            return ContractError(f"{self.name} answered with status {status}, which was not asked for.")
        if status == 401:
            return ConfigurationError(
                f"{self.name} no longer accepts our token{self._quoted(answer)}. "
                + (self._renew or "Get a new one and put it into the settings of the source.")
            )
        if status == 403:
            return ConfigurationError(
                f"{self.name} does not let us do this{self._quoted(answer)}. Check the permissions of the token."
            )
        if status in {408, 425, 429}:
            return TransientError(
                f"{self.name} asks us to wait (status {status}). It is tried again later.",
                retry_after=wait_in(answer.headers, self._now()),
            )
        if status < 500:
            return RefusedError(f"{self.name} refused (status {status}){self._quoted(answer)}.")
        words = f"{self.name} is overloaded or out of order (status {status})."
        if answer.write and status not in _NOT_CARRIED_OUT:
            return self._lost(words)
        return TransientError(f"{words} It is tried again later.", retry_after=wait_in(answer.headers, self._now()))

    def _quoted(self, answer: Answer) -> str:
        reason = self.clean(reason_in(answer.data)).rstrip(" .!")
        return f": {reason}" if reason else ""

    def clean(self, words: str) -> str:
        """A vendor's words without our secrets, for messages: one line, at most 300 characters."""
        for secret in self._secrets:
            words = words.replace(secret, "…")
        return " ".join(words.split())[:_REASON_LIMIT]


def _tokens(headers: Mapping[str, str]) -> list[str]:
    # "Bearer abc" hides abc, and the whole.
    values = [value for name, value in headers.items() if _is_secret(name)]
    return [word for value in values for word in (value, value.rpartition(" ")[2])]


def _is_secret(name: str) -> bool:
    lowered = name.lower()
    return lowered in _SECRET_HEADERS or any(part in lowered for part in ("token", "secret", "api-key", "apikey"))


def _given(values: Params | None) -> Any:
    if values is None:
        return None
    pairs = values.items() if isinstance(values, Mapping) else values
    if isinstance(values, Mapping):
        return {key: value for key, value in pairs if value is not None}
    return [(key, value) for key, value in pairs if value is not None]


def _no_number(_constant: str) -> None:
    return None  # NaN and Infinity are no JSON
