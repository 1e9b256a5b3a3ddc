"""What a whole answer of X holds: pages and single posts, deliveries, errors beside data, of every shape since 2022.

Pure, and never raises: what cannot be a mention is a reject with its position and reason, what is none by its nature (a
repost, somebody joined) is a note. To read another shape, recognise it in `_Sorting.take` or `_Sorting.take_item`.
"""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from collectors.wire import at, dict_of, first_text, list_of, reason_in, storable, text_of
from collectors.x_beside import NOBODY, Includes, Own
from collectors.x_legacy import event_of, is_status, post_of
from collectors.x_map import NETWORK, map_event, map_post, references_of
from collectors.x_text import ID
from domain.contracts import Mapped, Reject
from domain.errors import InputError
from domain.mention import Mention, MentionId

_RAW_LIMIT = 2_000
_GONE = ("resource-not-found", "not-authorized-for-resource", "resource-unavailable", "disallowed-resource")
_POSTS = frozenset({"tweet", "post"})
_DEEPEST = 4
_SUMMONS = {"post.mention.create": "mention", "post.quote.create": "quote", "post.reply.create": "answer"}
_QUIET = {
    "favorite_events": "like", "follow_events": "follow", "block_events": "block", "mute_events": "mute",
    "direct_message_indicate_typing_events": "sign of typing", "direct_message_mark_read_events": "sign of reading",
}  # fmt: skip


def map_answer(body: Any, own: Own = NOBODY) -> Mapped:
    """Everything that one saved answer holds.

    Args:
        own: our account, where it is known; a delivery names it itself.
    """
    sorting = _Sorting(own)
    sorting.take(body, "answer")
    return sorting.mapped()


class _Sorting:
    """One answer being taken apart."""

    def __init__(self, own: Own) -> None:
        self.own = own
        self.mentions: dict[MentionId, Mention] = {}
        self.rejects: list[Reject] = []
        self.deleted: dict[MentionId, None] = {}
        self.left_out: Counter[str] = Counter()
        self.encrypted = 0
        self.notes: list[str] = []
        self.depth = 0

    def mapped(self) -> Mapped:
        notes = [f"Left out, as nothing is said in it: {what} ({count})." for what, count in self.left_out.items()]
        if self.encrypted:
            notes.append(f"Encrypted messages that no program can read: {self.encrypted}. Read them on X.")
        cut = sum("truncated" in one.raw for one in self.mentions.values())
        if cut:
            notes.append(f"Posts that X has cut short in this answer: {cut}. Read them on X.")
        mentions = tuple(one for one in self.mentions.values() if one.id not in self.deleted)
        return Mapped(mentions, tuple(self.rejects), tuple(self.deleted), (*notes, *self.notes))

    # -- whole answers -----------------------------------------------------------------------------------------------------

    def take(self, body: Any, position: str) -> None:
        """An answer, or a list of answers or items."""
        self.depth += 1
        if isinstance(body, list) and self.depth <= _DEEPEST:
            for number, one in enumerate(body, start=1):
                self.take(one, f"item {number}")
        elif isinstance(body, dict) and self.depth <= _DEEPEST:
            self.take_answer(body, position)
        else:
            self.refuse(position, "it is no answer of X: neither an object nor a list", body)
        self.depth -= 1

    def take_answer(self, body: dict[str, Any], position: str) -> None:
        data = body.get("data")
        if isinstance(data, dict) and "event_type" in data and "payload" in data:
            self.take_activity(data)
        elif isinstance(data, dict) and any(
            name in data for name in ("delete", "drop", "withheld", "undrop", "tweet_edit")
        ):
            self.take_compliance(data)
        elif isinstance(data, dict | list):
            self.take_data(data, Includes.of(body.get("includes")))
        elif not self.take_older(body, position):
            self.take_rest(body, position)
        if isinstance(data, dict | list):
            self.take_errors(body)

    def take_data(self, data: Any, includes: Includes) -> None:
        items = data if isinstance(data, list) else [data]
        for number, item in enumerate(items, start=1):
            self.take_item(item, includes, f"item {number}")

    def take_older(self, body: dict[str, Any], position: str) -> bool:
        """Answers and deliveries of v1.1; False where it is none."""
        found = False
        if "for_user_id" in body:
            handle = self.own.handle if self.own.id in {"", text_of(body["for_user_id"])} else ""
            self.own = Own(text_of(body["for_user_id"]), handle, self.own.threads)
            found = True
        for name in ("tweet_create_events", "statuses", "results"):
            for number, status in enumerate(list_of(body.get(name)), start=1):
                self.take_item(status, Includes(), f"item {number}")
            found = found or isinstance(body.get(name), list)
        for name in ("direct_message_events", "events"):
            for number, event in enumerate(list_of(body.get(name)), start=1):
                self.take_event(event, body.get("users"), f"item {number}")
            found = found or isinstance(body.get(name), list)
        for gone in list_of(body.get("tweet_delete_events")):
            self.take_gone(text_of(at(gone, "status", "id")), f"{position}: deletion")
            found = True
        if isinstance(body.get("delete"), dict):
            status = dict_of(at(body, "delete", "status"))
            self.take_gone(text_of(status.get("id_str")) or text_of(status.get("id")), position)
            found = True
        for name, what in _QUIET.items():
            self.left_out.update({what: len(list_of(body.get(name)))} if list_of(body.get(name)) else {})
            found = found or isinstance(body.get(name), list)
        if at(body, "user_event", "revoke"):
            self.notes.append("The account has taken its permission back. Connect it again.")
            found = True
        return found

    def take_rest(self, body: dict[str, Any], position: str) -> None:
        if isinstance(body.get("tweet"), dict):  # an account's own archive
            self.take_item(body["tweet"], Includes(), position)
        elif (
            text_of(body.get("action")) in {"delete", "deleted"} and "redacted_at" in body
        ):  # a line of a compliance job
            self.take_gone(text_of(body.get("id")), position)
        elif "errors" in body or "error" in body or ("title" in body and ("detail" in body or "type" in body)):
            gone = len(self.deleted)
            self.take_errors(body)
            if len(self.deleted) == gone:
                self.refuse(position, f"X answered with an error: {reason_in(body) or 'no reason'}", body)
        elif "text" in body or "full_text" in body or "id_str" in body or "note_tweet" in body:
            self.take_item(body, Includes(), position)
        elif dict_of(body.get("meta")) and "includes" not in body:
            self.notes.append("The answer holds no message.")
        else:
            self.refuse(position, "it is no answer of X that is known", body)

    def take_activity(self, data: dict[str, Any]) -> None:
        kind, payload = text_of(data.get("event_type")), dict_of(data.get("payload"))
        ours = text_of(at(data, "filter", "user_id"))
        if ID.fullmatch(ours) and ours != self.own.id:
            self.own = Own(ours, "" if self.own.id else self.own.handle, self.own.threads)
        includes = Includes.of(data.get("includes"))
        if not self.own.handle and self.own.id in includes.users:
            self.own = Own(self.own.id, first_text(includes.users[self.own.id], "username"), self.own.threads)
        if kind == "post.delete":
            self.take_gone(text_of(payload.get("id")), kind)
        elif kind.startswith("post."):
            self.take_item(payload, includes, kind)
            for mention in self.mentions.values():  # the kind of event says it where the post alone does not
                if kind in _SUMMONS and not mention.outbound:
                    mention.raw.setdefault("summons", _SUMMONS[kind])
        elif kind.startswith("chat."):
            self.encrypted += kind in {"chat.received", "chat.sent"}
        elif kind in {"dm.received", "dm.sent"}:
            for event in list_of(payload.get("direct_message_events")) or [None]:
                self.take_event(event, payload.get("users"), kind)
        elif kind == "oauth.revoke":
            self.notes.append("The account has taken its permission back. Connect it again.")
        else:
            self.left_out[f"event {kind[:60]}".strip()] += 1

    def take_compliance(self, data: dict[str, Any]) -> None:
        for name in ("delete", "drop"):
            event = dict_of(data.get(name))
            if event:
                post = dict_of(event.get("tweet")) or dict_of(event.get("post"))
                self.take_gone(text_of(post.get("id")), name)
        for name in ("withheld", "undrop", "tweet_edit"):
            if name in data:
                self.left_out[f"event {name}"] += 1

    # -- items -------------------------------------------------------------------------------------------------------------

    def take_item(self, item: Any, includes: Includes, position: str) -> None:
        """A post, a direct message or a status, whatever it looks like."""
        if not isinstance(item, dict):
            self.refuse(position, "it is no object", item)
        elif "event_type" in item or "dm_conversation_id" in item:
            if text_of(item.get("event_type")).lower() in {"participantsjoin", "participantsleave"}:
                self.left_out["coming and going in a group"] += 1
            else:
                self.keep(position, item, lambda: map_event(item, includes, self.own))
        elif "message_create" in item:
            self.take_event(item, None, position)
        elif is_status(item):
            post, beside = post_of(item)
            self.take_post(post, beside, position, item)
        elif "text" not in item and "note_tweet" not in item and "note_post" not in item:
            self.take_wordless(item, position)
        else:
            self.take_post(item, includes, position, item)

    def take_post(self, post: dict[str, Any], includes: Includes, position: str, item: Any) -> None:
        if "retweeted" in references_of(post):
            self.left_out["repost"] += 1  # counted as a share of what it repeats
        else:
            self.keep(position, item, lambda: map_post(post, includes, self.own))

    def take_event(self, event: Any, users: Any, position: str) -> None:
        if not isinstance(event, dict) or not isinstance(event.get("message_create"), dict):
            self.refuse(position, "it is no direct message", event)
            return
        converted, includes = event_of(event, users)
        self.keep(position, event, lambda: map_event(converted, includes, self.own))

    def take_wordless(self, item: dict[str, Any], position: str) -> None:
        known = {"username": "account", "tweet_count": "count", "post_count": "count", "dm_event_id": "receipt"}
        known |= {"hidden": "receipt", "deleted": "receipt", "media_key": "picture", "subscription_id": "subscription"}
        what = next((title for name, title in known.items() if name in item), "")
        if what:
            self.left_out[what] += 1
        else:
            self.refuse(position, "it has no text", item)

    def keep(self, position: str, item: Any, make: Callable[[], Mention]) -> None:
        try:
            mention = make()
        except InputError as error:
            self.refuse(position, str(error), item)
        else:
            kept = self.mentions.get(mention.id)
            if kept is None or _version(kept) < _version(mention):
                self.mentions[mention.id] = mention

    def refuse(self, position: str, reason: str, item: Any) -> None:
        raw = json.dumps(storable(item), ensure_ascii=False)[:_RAW_LIMIT]
        self.rejects.append(Reject(position, reason, raw))

    # -- errors and deletions ----------------------------------------------------------------------------------------------

    def take_errors(self, body: dict[str, Any]) -> None:
        """Errors beside data: posts that are gone or closed to us; whatever else is said is a note."""
        others: dict[str, None] = {}
        for one in map(dict_of, list_of(body.get("errors"))):
            gone = gone_post(one)
            if gone:
                self.deleted[MentionId(f"{NETWORK}:{gone}")] = None
            elif text_of(one.get("resource_type")) not in _POSTS and reason_in(one):
                others[reason_in(one)[:200]] = None
        if body.get("data") is not None:
            self.notes += [f"X adds: {words}" for words in list(others)[:5]]

    def take_gone(self, native_id: str, position: str) -> None:
        if ID.fullmatch(native_id):
            self.deleted[MentionId(f"{NETWORK}:{native_id}")] = None
        else:
            self.refuse(position, "it has no id", native_id)


def gone_post(problem: dict[str, Any]) -> str:
    """The id of the post that an error says is gone, private, suspended or withheld; else ""."""
    kind = text_of(problem.get("type")).rpartition("/")[2]
    if kind not in _GONE or text_of(problem.get("resource_type")) not in _POSTS:
        return ""
    native_id = text_of(problem.get("resource_id")) or text_of(problem.get("value"))
    return native_id if ID.fullmatch(native_id) else ""


def _version(mention: Mention) -> int:
    return int(mention.raw["id"])
