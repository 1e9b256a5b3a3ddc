"""One vendor of reviews as we know it: asking it with a token that is renewed when it ends, and keeping to its allowance.

What its refusals mean is told by the network's module (`refuse`); what is asked and when is in `reviews_read`.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from collectors.api_client import Answer, ApiClient, Params
from collectors.limits import Allowance
from collectors.reviews_token import Grant, token_of
from collectors.wire import reason_in
from domain.clock import Now
from domain.contracts import Spend
from domain.errors import ConfigurationError

MISSING = (404, 410)
Refuse = Callable[["Service", Answer], Exception | None]


class Service:
    """Asks one vendor.

    Args:
        grant: how to a token; None where the headers say enough.
        renew: what a person must do where our access is refused.
        refuse: the error that an answer stands for by this vendor's rules.
        limits: headers as `limits` reads them, made of the vendor's own.
        counts: whether a question counts as one unit of the vendor's quota.
    """

    def __init__(
        self,
        base: str,
        grant: Grant | None,
        *,
        name: str,
        renew: str,
        now: Now,
        allow_private: bool,
        timeout: float,
        headers: Mapping[str, str] | None = None,
        secrets: Collection[str] = (),
        refuse: Refuse | None = None,
        limits: Callable[[Mapping[str, str]], Mapping[str, str]] = lambda headers: headers,
        counts: bool = False,
    ) -> None:
        self.name, self._grant, self._renew, self._now = name, grant, renew, now
        self._refuse, self._limits, self._counts = refuse, limits, counts
        self._client = ApiClient(
            base,
            headers,
            timeout,
            now=now,
            name=name,
            renew=renew,
            secrets=secrets,
            allow_private=allow_private,
            on_answer=self._note,
            refuse=self._refusal,
        )
        self._allowance = Allowance(name)
        self._calls = 0

    def get(self, path: str, params: Params | None = None, *, allow: Collection[int] = ()) -> Answer:
        """Read. Raises as ApiClient does, and TransientError where what is left of the limit is kept for answers."""
        self._allowance.must_last(self._now())
        return self.ask("GET", path, params=params, allow=allow)

    def ask(self, method: str, path: str, **fields: Any) -> Answer:
        """Anything else; see ApiClient.json. A refused token is renewed once.

        Who refuses a token has not looked at the question any further: asking again, also for a write, is asking for the
        first time.
        """
        if self._grant is None:
            return self._sent(method, path, "", **fields)
        token = token_of(self._grant, self._now())
        try:
            return self._sent(method, path, token, **fields)
        except _ExpiredError:
            token = token_of(self._grant, self._now(), instead_of=token)
        try:
            return self._sent(method, path, token, **fields)
        except _ExpiredError as error:
            raise ConfigurationError(
                f"{self.name} does not accept the access that we have{error}. {self._renew}"
            ) from None

    def _sent(self, method: str, path: str, token: str, **fields: Any) -> Answer:
        self._calls += 1
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self._client.json(method, path, headers={**headers, **fields.pop("headers", {})}, **fields)

    def spent(self) -> Spend:
        """What was asked since the last time."""
        count, self._calls = self._calls, 0
        return Spend(call_count=count, unit_count=count if self._counts else 0)

    def clean(self, words: str) -> str:
        """A vendor's words for messages; see ApiClient."""
        return self._client.clean(words).rstrip(" .!")

    def _note(self, answer: Answer) -> None:
        self._allowance.note(self._limits(answer.headers), self._now())

    def _refusal(self, answer: Answer) -> Exception | None:
        if answer.status == 401 and self._grant is not None:
            return _ExpiredError(self._reason(answer))
        return self._refuse(self, answer) if self._refuse else None

    def _reason(self, answer: Answer) -> str:
        reason = self.clean(reason_in(answer.data))
        return f": {reason}" if reason else ""


class _ExpiredError(Exception):
    """The token has run out, or was withdrawn."""
