"""What X's refusals mean: an error body and its status as one of `domain.errors`, with what to do about it.

Pure. Only what is X's own is here; what every vendor does (401, 429, 5xx, broken answers) is decided by `api_client`.
Wordings come from X's documentation where it gives them, else from answers that developers published; they are looked for
loosely, and anything unknown keeps X's own words.
"""

from datetime import datetime, timedelta
from typing import Any

from collectors.api_client import Answer
from collectors.limits import wait_in
from collectors.wire import at, dict_of, list_of, reason_in, text_of
from domain.errors import ComptoirError, ConfigurationError, OutcomeUnknownError, RefusedError, TransientError

CONSOLE = "console.x.com"
RENEW = (
    f"In {CONSOLE}, open the app, “Keys and tokens”, make new ones and put them into the settings consumer_key, "
    "consumer_secret, access_token and access_token_secret (or bearer_token) of the source."
)
PERMISSION = (
    f"In {CONSOLE}, give the app “Read and write and Direct message” under “User authentication settings”, then make a new "
    "access_token and access_token_secret: older ones keep the old permission."
)
_CAPPED_WAIT = timedelta(hours=12)
_WINDOW = timedelta(minutes=15)  # of most of X's limits
_DAY_LIMITS = ("x-user-limit-24hour", "x-app-limit-24hour")


def refusal(answer: Answer, now: datetime) -> ComptoirError | None:
    """The error that an answer stands for by X's own rules; None where the general rules fit."""
    if answer.status < 400:
        return None
    words, kind = reason_in(answer.data) or "no reason given", _kind(answer.data)
    if answer.status == 402 or kind.startswith("credits"):
        return ConfigurationError(
            f"The credits at X are used up: nothing is read or sent until somebody buys more in {CONSOLE} (Billing). What "
            "was read is stored, and answers wait."
        )
    if kind == "usage-capped":
        period = text_of(at(answer.data, "period")) or "billing"
        return TransientError(
            f"X's usage cap is reached ({period.lower()}): it gives nothing more until the period ends, or until somebody "
            f"raises the spending limit in {CONSOLE}. What was read is stored. The next try is in half a day.",
            retry_after=_CAPPED_WAIT,
        )
    if answer.status == 429:
        return TransientError(
            "X asks us to wait: its limit for this is reached. What was read is stored, and the rest follows by itself.",
            retry_after=_day_wait(answer, now) or wait_in(answer.headers, now) or _WINDOW,
        )
    if answer.status >= 500:
        if answer.write:  # X has been seen to post, and then to answer with an error
            return OutcomeUnknownError(
                f"X answered with status {answer.status}. The message may be there: that is looked up before another try."
            )
        return None
    return _forbidden(words, kind, answer) if answer.status == 403 else _other(answer, words)


def _forbidden(words: str, kind: str, answer: Answer) -> ComptoirError:
    lowered = words.lower()
    if "duplicate" in lowered:
        return RefusedError("X refuses it: the account has said the same words already. Change the wording.")
    if "mentioned or otherwise engaged" in lowered or "summon" in lowered:
        return RefusedError(
            "X refuses the answer: the author neither mentions nor quotes the account. Open the post and answer on X itself."
        )
    if kind in {"client-forbidden", "oauth1-permissions"} or "permission" in lowered or "access level" in lowered:
        return ConfigurationError(f"X does not let the app do this ({_short(words)}). {PERMISSION}")
    if "your account" in lowered and ("suspended" in lowered or "locked" in lowered):
        return ConfigurationError(
            f"X has closed the account ({_short(words)}). Log in on x.com and follow what it asks."
        )
    if answer.method == "GET":
        return ConfigurationError(f"X does not let the app read this ({_short(words)}). {PERMISSION}")
    return RefusedError(f"X refuses it: {_short(words)}.")


def _other(answer: Answer, words: str) -> ComptoirError | None:
    if answer.status not in {400, 404, 410, 422}:
        return None
    if answer.method != "GET":
        return RefusedError(f"X refuses it: {_short(words)}.")
    if "/search/" in answer.path or "/counts/" in answer.path:
        return ConfigurationError(f"X cannot read the search that the watch makes ({_short(words)}). Change the watch.")
    if answer.status == 404:
        return ConfigurationError(f"X does not know what is asked for ({_short(words)}). Check the setting account.")
    return None


def _kind(data: Any) -> str:
    """The last part of the problem's type, wherever it stands: ``usage-capped``."""
    kinds = [text_of(dict_of(one).get("type")) for one in (data, *list_of(dict_of(data).get("errors")))]
    return next((kind.rpartition("/")[2] for kind in kinds if "/problems/" in kind), "")


def _day_wait(answer: Answer, now: datetime) -> timedelta | None:
    # POST /2/tweets tells of its limit of 24 hours in headers of its own, beside those of the 15 minutes.
    for name in _DAY_LIMITS:
        if answer.headers.get(f"{name}-remaining") == "0":
            return wait_in({"x-rate-limit-reset": answer.headers.get(f"{name}-reset", "")}, now)
    return None


def _short(words: str) -> str:
    return " ".join(words.split())[:300].rstrip(" .")
