"""What every collector of reviews does: read its lists, look reviews up again, answer them once.

A network's collector is a subclass that says which lists there are, how one review is looked up, and how an answer is sent:
of `Reviews` where it can only be read, else of `AnsweredReviews`. The networks replace an answer by the next one, or are
looked at before anything is sent: sending twice makes no second one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from collectors.reviews_map import reply_id, same_words
from collectors.reviews_read import Listing, Reading
from domain.clock import Now
from domain.contracts import CollectorSpec, Cursor, IdempotencyKey, Page, Permission, RemoteId, Spend, Watch
from domain.errors import InputError, RefusedError
from domain.mention import Mention, MentionId
from domain.permission import ReplyRule, decide


class GoneError(Exception):
    """The review is no longer there."""


class UntoldError(Exception):
    """The vendor cannot say: the review is out of its reach, or we do not know where it was."""


class Reviews:
    """Reads reviews."""

    spec: CollectorSpec

    def __init__(self, *, now: Now, history: timedelta | None) -> None:
        self._now, self._history = now, history

    def check(self) -> None:
        """See Collector."""
        raise NotImplementedError

    def fetch(self, watch: Watch, since: Cursor | None) -> Iterator[Page]:  # noqa: ARG002 - all reviews of ours are heard
        """See Collector."""
        reading = Reading(self._listings(), since, now=self._now, history=self._history, spent=self._spent)
        yield from reading.pages()

    def _listings(self) -> Sequence[Listing]:
        raise NotImplementedError

    def _spent(self) -> Spend:
        raise NotImplementedError


class AnsweredReviews(Reviews):
    """Also looks them up again, and answers them."""

    rules: Sequence[ReplyRule]
    _unit = "characters"

    def rehydrate(self, mentions: Sequence[Mention]) -> Page:
        """See CanRehydrate. A review and our answer to it are one look-up."""
        groups: dict[str, list[Mention]] = {}
        for mention in mentions:
            groups.setdefault(mention.parent_id or mention.native_id, []).append(mention)
        changed: list[Mention] = []
        deleted: list[MentionId] = []
        untold = 0
        for group in groups.values():
            try:
                found = {mention.native_id: mention for mention in self._now_there(group)}
            except GoneError:
                deleted += [mention.id for mention in group]
                continue
            except (InputError, UntoldError):
                untold += len(group)
                continue
            deleted += [mention.id for mention in group if mention.native_id not in found]
            changed += [found[one.native_id] for one in group if _differs(one, found.get(one.native_id))]
        notes = (f"Reviews that could not be looked up again: {untold}.",) if untold else ()
        return Page((), None, deleted=tuple(deleted), notes=notes, changed=tuple(changed), spent=self._spent())

    def _now_there(self, group: Sequence[Mention]) -> tuple[Mention, ...]:
        review = next((one for one in group if not one.parent_id), group[0])
        found = self._heard(self._looked_up(review))
        return tuple(
            replace(one, store=one.store or review.store, product=one.product or review.product) for one in found
        )

    def may_reply(self, mention: Mention) -> Permission:
        """See CanReply."""
        return decide(self.rules, mention, self._now())

    def reply(self, mention: Mention, text: str, key: IdempotencyKey) -> RemoteId:  # noqa: ARG002 - one answer a review
        """See CanReply."""
        told = self.may_reply(mention)
        if not told.allowed:
            raise RefusedError(told.reason)
        count = self._length(text)
        if told.text_limit is not None and count > told.text_limit:
            raise RefusedError(
                f"The answer has {count:,} {self._unit}; {self.spec.title} takes {told.text_limit:,}. Shorten it."
            )
        self._send(mention, text)
        return RemoteId(reply_id(mention.native_id))

    def find_reply(self, mention: Mention, text: str, key: IdempotencyKey) -> RemoteId | None:  # noqa: ARG002
        """See CanReadBack."""
        try:
            found = self._heard(self._looked_up(mention))
        except (GoneError, InputError, UntoldError):
            return None
        ours = [one for one in found if one.outbound and same_words(one.text, text)]
        return RemoteId(reply_id(mention.native_id)) if ours else None

    # -- a network's own -------------------------------------------------------------------------------------------------------

    def _looked_up(self, mention: Mention) -> Any:
        """The review as the vendor has it now. Raises GoneError, or UntoldError."""
        raise NotImplementedError

    def _heard(self, item: Any) -> tuple[Mention, ...]:
        """What was looked up: the review and our answer. Raises InputError."""
        raise NotImplementedError

    def _send(self, mention: Mention, text: str) -> None:
        """Raises as `reply` does."""
        raise NotImplementedError

    def _length(self, text: str) -> int:
        return len(text)


def _differs(kept: Mention, now: Mention | None) -> bool:
    if now is None:
        return False
    said = (now.text, now.title, now.rating, now.engagement) != (kept.text, kept.title, kept.rating, kept.engagement)
    return said or now.raw.get("reply") != kept.raw.get("reply") or now.raw.get("state") != kept.raw.get("state")
