"""What Meta's refusals mean: the `error` of an answer as one of `domain.errors`, with what to do about it. Pure.

Shared by Facebook and Instagram. Only what is Meta's own is here; what every vendor does (5xx without words, broken
answers, time-outs) is decided by `api_client`. To treat another code, put it into a table below. Sources: Meta, “Handle
Errors”, “Rate Limits”, “Messenger Platform: Error Codes”, read 2026-11-26.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from collectors.api_client import Answer
from collectors.limits import wait_in
from collectors.meta_usage import regained_in
from collectors.wire import dict_of, text_of
from domain.errors import ComptoirError, ConfigurationError, OutcomeUnknownError, RefusedError, TransientError

RENEW = (
    "In Meta Business Suite, “Settings”, “System users”, generate a new token for the Page with the same permissions, and "
    "put it into the setting access_token."
)
_PERMISSION = re.compile(
    r"\b(?:pages|instagram|business|ads|read|publish)_[a-z_]{3,}\b|\bInstagram Public Content Access\b"
)
_LIMITS = frozenset({4, 17, 32, 341, 613, *range(80_000, 80_015)})
_ROLLING = {4: timedelta(minutes=15), 17: timedelta(minutes=15)}  # windows of an hour; those of a Page last a day
_LONGER = timedelta(minutes=30)
_BLOCKED = timedelta(hours=1)
_NO_TOKEN = frozenset({102, 190})
_NOT_ALLOWED = frozenset({3, 10, *range(200, 300)})
_OUR_SIDE_OF_THEIRS = frozenset({-2, -1, 1, 2})  # Meta: “downtime, wait and retry”
_OUTDATED = frozenset({12, 2635})
_WINDOW_OVER = frozenset({2018065, 2018278, 2534022})
_NOT_RECEIVING = frozenset({1545041, 2018108, 2018001, 2534014})
_MESSAGES_OFF = 2534041
_GONE = frozenset({33, 1487564, 2018049})
_TOKEN = {
    458: "the app was removed from the Page",
    459: "Facebook first wants its owner to log in on facebook.com",
    460: "its owner changed the password",
    463: "it has expired",
    464: "Facebook first wants its owner to log in on facebook.com",
    467: "it was revoked",
    492: "its owner no longer has a role on the Page",
}
_NEEDED = {  # by the last piece of the path
    "feed": "pages_read_engagement and pages_read_user_content",
    "tagged": "pages_read_user_content",
    "ratings": "pages_read_user_content",
    "conversations": "pages_messaging and pages_manage_metadata",
    "messages": "pages_messaging",
    "media": "instagram_basic",
    "tags": "instagram_manage_comments",
    "replies": "instagram_manage_comments",
    "mentions": "instagram_manage_comments",
    "ig_hashtag_search": "instagram_basic and the feature Instagram Public Content Access",
    "recent_media": "instagram_basic and the feature Instagram Public Content Access",
}


class GoneError(RefusedError):
    """What was asked for is no longer there, or not for us to see; Meta does not tell the two apart."""


class NotAllowedError(ConfigurationError):
    """A permission is missing, for this or for all."""


class TooMuchError(TransientError):
    """More was asked for at once than Meta can gather."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The `error` object of an answer."""

    code: int
    subcode: int
    words: str
    transient: bool

    @classmethod
    def of(cls, data: Any) -> "Fault | None":
        """The fault that a body tells of; None where it tells of none."""
        body = dict_of(data)
        given = body.get("error")
        if isinstance(given, str) and given:
            return cls(0, 0, text_of(body.get("error_description")) or text_of(given), False)
        if not isinstance(given, dict):
            if "error_code" not in body:
                return None
            given = {"code": body["error_code"], "message": body.get("error_msg")}
        words = text_of(given.get("error_user_msg")) or text_of(given.get("message"))
        code, subcode = _whole(given.get("code")), _whole(given.get("error_subcode"))
        return cls(code, subcode, words, given.get("is_transient") is True)

    @property
    def gone(self) -> bool:
        """Whether it says that the object is not there."""
        return (self.code == 100 and self.subcode in _GONE) or self.code == 803


def refusal(answer: Answer, now: datetime, *, name: str, clean: Callable[[str], str] = str) -> ComptoirError | None:
    """The error that an answer stands for; None where it is none, or where the general rules fit.

    Args:
        name: of the network, for messages.
        clean: takes our secrets out of Meta's words (it likes to quote a token that it does not like).
    """
    fault = Fault.of(answer.data)
    if fault is None:
        return None
    words = _short(clean(fault.words)) or "no reason given"
    if fault.code in _LIMITS:
        return TransientError(
            f"{name} asks us to wait: its limit for this is reached (code {fault.code}). What was read is stored, and the "
            "rest follows by itself.",
            retry_after=_wait(fault, answer.headers, now),
        )
    return (
        _about_access(fault, words, name, answer)
        or _about_content(fault, words, name, answer)
        or _unclear(fault, words, name, answer, now)
    )


def _about_access(fault: Fault, words: str, name: str, answer: Answer) -> ComptoirError | None:
    if fault.code in _NO_TOKEN or (fault.code == 0 and "oauth" in words.lower()):
        why = _TOKEN.get(fault.subcode, f"it is not valid ({words})")
        return ConfigurationError(f"{name} no longer accepts the token of the Page: {why}. {RENEW}")
    if "appsecret_proof" in fault.words:
        return ConfigurationError(
            f"{name} says that the token was not made for this app ({words}). Put the secret of the app that it was made for "
            "into the setting app_secret."
        )
    if fault.code in _OUTDATED:
        return ConfigurationError(
            f"{name} has retired the version of its interface that is asked for ({words}). Put a current one into the "
            "setting version, such as v26.0."
        )
    if fault.subcode in _WINDOW_OVER:
        return RefusedError(
            f"{name} refuses the message: the person wrote more than 24 hours ago. It goes out once they write again."
        )
    if fault.subcode in _NOT_RECEIVING or fault.code == 551:
        return RefusedError(f"{name} refuses the message: this person takes none from us at the moment ({words}).")
    if fault.subcode == _MESSAGES_OFF:
        return ConfigurationError(
            f"{name} does not let the app read messages. In the Instagram app, “Settings”, “Messages”, turn on access for "
            "connected tools."
        )
    if fault.code in _NOT_ALLOWED:
        needed = " and ".join(dict.fromkeys(_PERMISSION.findall(words))) or _needed(answer)
        return NotAllowedError(
            f"{name} does not let the app do this ({words}). Give it the permission {needed}, then renew the setting "
            "access_token."
        )
    return None


def _needed(answer: Answer) -> str:
    """The permission of a path, for refusals that name none."""
    edge = answer.path.rstrip("/").rpartition("/")[2]
    writes = answer.method != "GET"
    return _NEEDED.get(edge, "pages_manage_engagement" if writes else "pages_read_user_content")


def _about_content(fault: Fault, words: str, name: str, answer: Answer) -> ComptoirError | None:
    if fault.gone:
        return GoneError(f"{name} no longer shows this: it was deleted, or its audience was changed.")
    if fault.code == 368:
        if answer.write or answer.method != "GET":
            return RefusedError(
                f"{name} has blocked the Page from doing this for a while ({words}). Answer there by hand."
            )
        return TransientError(f"{name} has blocked the Page for a while ({words}).", retry_after=_BLOCKED)
    if fault.code == 506:
        return RefusedError(f"{name} refuses it: the Page has said the same words already. Change the wording.")
    if fault.code == 10_900:
        return RefusedError(f"{name} refuses it: this was answered privately already, which goes only once.")
    return None


def _unclear(fault: Fault, words: str, name: str, answer: Answer, now: datetime) -> ComptoirError:
    if "reduce the amount of data" in words.lower():
        return TooMuchError(f"{name} could not gather so much at once. Less is asked for next time.")
    if fault.transient or fault.code in _OUR_SIDE_OF_THEIRS or (answer.status >= 500 and fault.code == 0):
        if answer.write:  # has been seen to post, and then to answer so
            return OutcomeUnknownError(
                f"{name} answered with a fault of its own ({words}). It may have been carried out: that is looked up before "
                "another try."
            )
        return TransientError(
            f"{name} is out of order at the moment ({words}). It is tried again later.",
            retry_after=wait_in(answer.headers, now),
        )
    return RefusedError(f"{name} refuses it: {words} (code {fault.code}).")


def _wait(fault: Fault, headers: Mapping[str, str], now: datetime) -> timedelta:
    """Meta tells minutes in its usage header; else Retry-After; else as long as such windows take to open a little."""
    return regained_in(headers) or wait_in(headers, now) or _ROLLING.get(fault.code, _LONGER)


def _whole(value: Any) -> int:
    try:
        return int(value)
    except (OverflowError, TypeError, ValueError):
        return 0


def _short(words: str) -> str:
    return " ".join(words.split())[:300].rstrip(" .")
