"""What stands beside an item of X: the accounts, posts, pictures and places that its answer includes, and who we are.

Pure. `mark` notes on a mention what the rules for answers and hiding ask (x_rules.py), since a rule sees nothing but the
mention.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from collectors.wire import dict_of, list_of, text_of
from collectors.x_text import quoted_handle
from domain.mention import Mention, MentionKind


@dataclass(frozen=True, slots=True)
class Own:
    """Our account.

    Attributes:
        threads: ids of conversations that our own posts began, as far as they are known.
    """

    id: str = ""
    handle: str = ""
    threads: frozenset[str] = frozenset()

    def is_author(self, author_id: str, handle: str = "") -> bool:
        """Whether we said it."""
        return bool(author_id and author_id == self.id) or bool(self.handle and handle.lower() == self.handle.lower())


@dataclass(frozen=True, slots=True)
class Includes:
    """What an answer brings beside its items, by id."""

    users: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    posts: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    media: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    places: Mapping[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, value: Any) -> "Includes":
        """The `includes` of an answer; users may be wrapped once more in `data`, as in some deliveries."""
        lists = dict_of(value)
        return cls(
            _by(lists.get("users"), "id"),
            _by([*list_of(lists.get("tweets")), *list_of(lists.get("posts"))], "id"),
            _by(lists.get("media"), "media_key"),
            _by(lists.get("places"), "id"),
        )


NOTHING = Includes()
NOBODY = Own()


def _by(items: Any, key: str) -> dict[str, dict[str, Any]]:
    found = {}
    for item in list_of(items):
        inner = dict_of(item)
        inner = dict_of(inner["data"]) if key not in inner and "data" in inner else inner
        name = text_of(inner.get(key))
        if name:
            found[name] = inner
    return found


def mark(mention: Mention, item: dict[str, Any], includes: Includes, own: Own, quoted: str, entities: Any) -> None:
    """Note in `raw` what the rules for answers and hiding ask: `summons` and `own_thread`."""
    answers_us = bool(own.id) and text_of(item.get("in_reply_to_user_id")) == own.id
    parent = dict_of(includes.posts.get(mention.parent_id or ""))
    answers_us = answers_us or (bool(own.id) and text_of(parent.get("author_id")) == own.id)
    owner = text_of(dict_of(includes.posts.get(quoted)).get("author_id"))
    if mention.outbound:
        pass
    elif _names_us(entities, mention.text, own):
        mention.raw["summons"] = "mention"
    elif quoted and own.is_author(owner, quoted_handle(entities, quoted)):
        mention.raw["summons"] = "quote"
    elif answers_us:
        mention.raw["summons"] = "answer"
    if mention.conversation_id in own.threads or (answers_us and mention.parent_id == mention.conversation_id):
        mention.raw["own_thread"] = True


def recalled(mention: Mention, own: Own) -> Mention:
    """The mention with the marks of `mark`, as far as its words tell them where `raw` was not kept."""
    if mention.outbound or mention.kind is MentionKind.MESSAGE or "summons" in mention.raw:
        return mention
    marks: dict[str, Any] = {}
    if _names_us(None, mention.text, own):
        marks["summons"] = "mention"
    # X puts the name of who is answered first: below the beginning of a conversation, that is who began it.
    first = mention.text.partition(" ")[0].lower() == f"@{own.handle.lower()}"
    if not mention.raw and first and mention.parent_id == mention.conversation_id:
        marks["own_thread"] = True
    return replace(mention, raw={**mention.raw, **marks}) if marks else mention


def _names_us(entities: Any, text: str, own: Own) -> bool:
    for one in map(dict_of, list_of(dict_of(entities).get("mentions"))):
        if own.is_author(text_of(one.get("id")), text_of(one.get("username"))):
            return True
    if not own.handle:
        return False
    lowered, handle = text.lower(), f"@{own.handle.lower()}"
    start = lowered.find(handle)
    while start >= 0:
        after = lowered[start + len(handle) : start + len(handle) + 1]
        before = lowered[start - 1 : start] if start else ""
        if not (after.isalnum() or after == "_" or before.isalnum()):
            return True
        start = lowered.find(handle, start + 1)
    return False
