"""Meta's Graph API through facebook-sdk: `Graph`, for Facebook Pages and Instagram alike.

The SDK knows paths, parameters and the token. What it gets wrong is put right here and nowhere else: it refuses versions
after 3.1, sets no time-out, looks at no status, takes error pages for answers, writes the token of an empty POST into the
address, follows links that hold the token, and drops headers. Below it lies our own line (`api_client`); it waits and
retries nothing. What errors mean is `meta_errors`, how much is used `meta_usage`.
"""

import hashlib
import hmac
import json
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from collectors.api_client import Answer, ApiClient
from collectors.meta_errors import RENEW, GoneError, TooMuchError, refusal
from collectors.meta_settings import HOST, VERSION
from collectors.meta_usage import Usage
from collectors.wire import at, count_of, dict_of, list_of, text_of
from domain.clock import Now
from domain.contracts import Spend
from domain.errors import ConfigurationError, ContractError, OutcomeUnknownError, RefusedError

with warnings.catch_warnings():  # its patterns are no raw strings, which Python remarks on when it compiles them
    warnings.simplefilter("ignore")
    import facebook

BATCH_SIZE = 50
_VERSION = re.compile(r"v?(\d{1,3}\.\d{1,2})")
_POSTED = ("/comments", "/replies", "/messages", "/mentions")  # POSTs there say something: twice would be heard twice
_POSITION = frozenset({"after", "until", "offset", "__paging_token"})
_NOT_EMPTY = {"format": "json"}  # without any field of its own, the SDK puts the token of a POST into the address
_FEWEST = 5


@dataclass(frozen=True, slots=True)
class Keys:
    """Who we are for Meta; never in a message or a log."""

    access_token: str = field(repr=False)
    app_secret: str = field(repr=False)

    @property
    def proof(self) -> str:
        """That the token is used by the app which it was made for. Source: Meta, “Secure Graph API Calls”."""
        return hmac.new(self.app_secret.encode(), self.access_token.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of an edge.

    Attributes:
        position: Graph's own mark of the next page; empty where there is none.
    """

    items: list[Any]
    position: dict[str, str]


@dataclass(frozen=True, slots=True)
class Found:
    """What one question of a batch brought: the object, or that it is gone, or nothing that could be told apart."""

    data: dict[str, Any] | None
    gone: bool = False


def version_of(written: str) -> str:
    """``v26.0`` of ``26.0``. Raises ConfigurationError where it is no version."""
    found = _VERSION.fullmatch(written.strip().lower())
    if not found:
        raise ConfigurationError(f"The setting version says “{written[:40]}”. Write one such as {VERSION}.")
    return f"v{found[1]}"


class _Line:
    """What the SDK takes for its session: our client, whose answers are JSON or an error of ours."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    def request(
        self, method: str, url: str, *, params: Mapping[str, Any] | None, data: Mapping[str, Any] | None, **_: Any
    ) -> "_Response":
        """One request, no second try; paths only, whatever host the SDK names."""
        path = url.removeprefix(facebook.FACEBOOK_GRAPH_URL)
        write = method == "POST" and path.endswith(_POSTED)
        return _Response(self._client.json(method, path, params=params, form=data, write=write).data)


class _Response:
    """What the SDK wants of an answer."""

    headers: Mapping[str, str] = {"content-type": "application/json"}  # the SDK stumbles where there is none

    def __init__(self, data: Any) -> None:
        self._data = data

    def json(self) -> Any:
        return self._data


class Graph(facebook.GraphAPI):  # type: ignore[misc]  # the SDK ships no types
    """One Page's view of the Graph.

    Args:
        base: scheme and host.
        name: of the network, for messages.
        timeout: seconds without a sign of life.
    """

    def __init__(
        self,
        keys: Keys,
        base: str = HOST,
        *,
        name: str,
        now: Now,
        version: str = VERSION,
        allow_private: bool = False,
        timeout: float = 10.0,
    ) -> None:
        self.name, self.usage = name, Usage(name)
        self._now, self._proof = now, keys.proof
        self._client = ApiClient(
            base,
            timeout=timeout,
            now=now,
            name=name,
            renew=RENEW,
            secrets=(keys.access_token, keys.app_secret, keys.proof),
            allow_private=allow_private,
            on_answer=self._note,
            refuse=self._refusal,
        )
        self._calls = 0
        self._last: Answer | None = None
        super().__init__(keys.access_token, timeout=timeout, session=_Line(self._client))
        self.version = version_of(version)  # the constructor takes none after 3.1

    # -- the SDK's one door ------------------------------------------------------------------------------------------------

    def request(
        self,
        path: str,
        args: Mapping[str, Any] | None = None,
        post_args: Mapping[str, Any] | None = None,
        files: None = None,
        method: str | None = None,
    ) -> Any:
        """Every call of the SDK passes here, and gets its proof; in the body where there is one."""
        proof = {"appsecret_proof": self._proof}
        if post_args is not None or method == "POST":
            return super().request(path, {}, {**_NOT_EMPTY, **(post_args or {}), **proof}, files, "POST")
        return super().request(path, {**(args or {}), **proof}, None, files, method)

    # -- reading -----------------------------------------------------------------------------------------------------------

    def node(self, native_id: str, fields: str = "", **params: Any) -> dict[str, Any]:
        """One object. Raises GoneError where it is not there."""
        return self._dict(self.get_object(_piece(native_id), **_given(fields=fields, **params)))

    def listing(
        self,
        native_id: str,
        edge: str,
        fields: str,
        *,
        limit: int,
        position: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Listing:
        """A page of an edge; with a smaller limit where Meta cannot gather so many at once."""
        while True:
            asked = _given(**{"fields": fields, **(params or {}), **(position or {}), "limit": limit})
            try:
                body = self._dict(self.get_connections(_piece(native_id), edge, **asked))
                break
            except TooMuchError:
                if limit <= _FEWEST:
                    raise
                limit = max(limit // 2, _FEWEST)
        return Listing(self._list(body), position_of(body))

    def search_hashtag(self, user_id: str, tag: str) -> str:
        """The number of a hashtag. A tag that was not asked for in the last seven days counts as one of thirty."""
        body = self._dict(self.request(f"{self.version}/ig_hashtag_search", {"user_id": user_id, "q": tag}))
        found = [text_of(dict_of(one).get("id")) for one in self._list(body)]
        if not found or not found[0]:
            raise GoneError(f"{self.name} knows no hashtag #{tag}.")
        return found[0]

    def several(self, questions: Sequence[tuple[str, str]]) -> list[Found]:
        """Objects by id, with the fields wanted of each, as one batch; at most 50. Raises TransientError at a limit."""
        batch = [
            {"method": "GET", "relative_url": f"{_piece(one)}?fields={quote(fields)}"} for one, fields in questions
        ]
        sent = {"batch": json.dumps(batch), "include_headers": "false"}
        parts = self.request(f"{self.version}/", post_args=sent)
        if not isinstance(parts, list) or len(parts) != len(batch):
            raise ContractError(f"{self.name} answered a batch in a shape that is not known. It is asked for again.")
        self._calls += len(batch) - 1  # Meta counts each
        return [self._part(dict_of(part), asked["relative_url"]) for part, asked in zip(parts, batch, strict=True)]

    def _part(self, part: dict[str, Any], path: str) -> Found:
        try:
            data = json.loads(text_of(part.get("body")) or "null")
        except (ValueError, RecursionError):
            data = None
        if self._last is None:
            return Found(None)
        status = count_of(part.get("code")) or 200
        error = self._refusal(replace(self._last, status=status, data=data, method="GET", path=path.partition("?")[0]))
        if isinstance(error, GoneError):
            return Found(None, gone=True)
        if isinstance(error, RefusedError):
            return Found(None)
        if error is not None:
            raise error
        return Found(data if isinstance(data, dict) and data.get("id") else None)

    # -- writing -----------------------------------------------------------------------------------------------------------

    def say(self, native_id: str, edge: str, **data: Any) -> str:
        """POST words to an edge; the id that Meta gave them. Raises the errors of CanReply."""
        body = self._dict(self.put_object(_piece(native_id), edge, **_written(data)))
        found = text_of(body.get("message_id")) or text_of(body.get("id"))
        if not found:
            raise OutcomeUnknownError(
                f"{self.name} took the words and did not say their number. They may be there: that is looked up before "
                "another try."
            )
        return found

    def change(self, native_id: str, **data: Any) -> None:
        """POST to an object; doing it twice is doing it once."""
        self._done(self.request(f"{self.version}/{_piece(native_id)}", post_args=_written(data)))

    def remove(self, native_id: str) -> None:
        """DELETE an object; one that is gone already is as it should be."""
        try:
            self._done(self.delete_object(_piece(native_id)))
        except GoneError:
            return

    def _done(self, body: Any) -> None:
        if body is not True and dict_of(body).get("success") not in {True, "true"}:
            raise RefusedError(f"{self.name} did not do it, and gave no reason. Do it on {self.name} itself.")

    # -- what is counted ---------------------------------------------------------------------------------------------------

    def spent(self) -> Spend:
        """What was asked since this was asked last; Meta takes no money for it."""
        calls, self._calls = self._calls, 0
        return Spend(call_count=calls)

    def _note(self, answer: Answer) -> None:
        self._calls += 1
        self._last = answer
        self.usage.note(answer.headers)

    def _refusal(self, answer: Answer) -> Exception | None:
        return refusal(answer, self._now(), name=self.name, clean=self._client.clean)

    def _dict(self, body: Any) -> dict[str, Any]:
        if not isinstance(body, dict):
            raise self._unknown()
        return body

    def _list(self, body: dict[str, Any]) -> list[Any]:
        if not isinstance(body.get("data"), list):
            raise self._unknown()
        return list_of(body["data"])

    def _unknown(self) -> ContractError:
        return ContractError(
            f"{self.name} answered in a shape that is not known. Nothing of it was kept; it is asked for again."
        )


def position_of(body: Any) -> dict[str, str]:
    """Where the next page begins. Only parameters are taken of Meta's link: it holds the token, and could lead elsewhere."""
    link = at(body, "paging", "next")
    if not isinstance(link, str) or not link:
        return {}
    try:
        given = dict(parse_qsl(urlsplit(link).query))
    except ValueError:
        given = {}
    kept = {name: value for name, value in given.items() if name in _POSITION}
    after = text_of(at(body, "paging", "cursors", "after"))
    return kept or ({"after": after} if after else {})


def _piece(native_id: str) -> str:
    return quote(native_id, safe="")


def _given(**params: Any) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value not in (None, "")}


def _written(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: json.dumps(value) if isinstance(value, dict | list | bool) else value for name, value in data.items()}
