"""Google Play's reviews of an app as mentions: `heard` for one, `map_answer` for a whole saved answer. Pure.

Shapes: Google Play Developer API v3, resource reviews. A review is a conversation of comments by its author and by us; both
sides change theirs in place, and only the time of the last change is told. Old apps wrote a title before a tab.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from collectors.reviews_map import last_of, map_bodies, reply_of, review_of, stars
from collectors.values import language
from collectors.wire import count_of, dict_of, kept, list_of, moment_of, text_of
from domain.contracts import Mapped
from domain.mention import Engagement, Mention

NETWORK = "google_play"
_COMMENT = (
    "starRating", "reviewerLanguage", "device", "androidOsVersion", "appVersionCode", "appVersionName", "thumbsUpCount",
    "thumbsDownCount", "originalText",
)  # fmt: skip


def heard(item: Any, package: str = "") -> tuple[Mention, ...]:
    """The review and our answer.

    Args:
        package: name of the app; reviews do not say it themselves.

    Raises:
        InputError: it has no id, no date, or neither words nor stars.
    """
    review = dict_of(item)
    comments = list_of(review.get("comments"))
    theirs, ours = last_of(comments, "userComment"), last_of(comments, "developerComment")
    native_id = text_of(review.get("reviewId"))
    written = text_of(theirs.get("originalText")) or text_of(theirs.get("text"))
    title, _, text = written.partition("\t") if "\t" in written else ("", "", written)
    reply = text_of(ours.get("text"))
    where = {"package": package} if package else {}
    mention = review_of(
        NETWORK,
        native_id,
        text,
        changed_at(theirs),
        stars(theirs.get("starRating")),
        title=title,
        author_name=text_of(review.get("authorName")),
        url=_url(package, native_id),
        product=package or None,
        lang_hint=language(text_of(theirs.get("reviewerLanguage"))),
        engagement=Engagement(like_count=count_of(theirs.get("thumbsUpCount"))),
        raw={
            **where,
            **kept(review, ("reviewId",)),
            **kept(theirs, _COMMENT),
            **({"reply": {"text": reply}} if reply else {}),
        },
    )
    return (mention, *reply_of(mention, reply, changed_at(ours), where))


def changed_at(comment: Mapping[str, Any]) -> datetime | None:
    """When a comment was last changed; seconds come as text."""
    told = comment.get("lastModified")
    seconds = count_of(dict_of(told).get("seconds"))
    if seconds is None:
        return moment_of(told)
    try:
        moment = datetime.fromtimestamp(seconds, tz=UTC)
        return moment + timedelta(microseconds=(count_of(dict_of(told).get("nanos")) or 0) // 1_000)
    except (OverflowError, OSError, ValueError):
        return None


def moment(item: Any) -> datetime | None:
    """By what the list is sorted: the author's last change."""
    return changed_at(last_of(list_of(dict_of(item).get("comments")), "userComment"))


def map_answer(body: Any) -> Mapped:
    """The mentions that one JSON body holds, whichever method it answers."""
    return map_bodies(body, ("reviews",), lambda item: "reviewId" in item or "comments" in item, heard)


def _url(package: str, native_id: str) -> str:
    if not package:
        return ""
    return (
        f"https://play.google.com/store/apps/details?id={quote(package, safe='')}&reviewId={quote(native_id, safe='')}"
    )
