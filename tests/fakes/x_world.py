"""What exists on the fake X: accounts, posts, direct messages; and how API v2 shows them, in older and newer names.

Shapes: X's OpenAPI descriptions 2.157 (tweet.fields, referenced_tweets, includes.tweets, retweet_count) and 2.167
(post.fields, referenced_posts, includes.posts, repost_count); texts as X writes them: &, <, > escaped, links as t.co, the
names of those who are answered first. Deliveries: docs.x.com, "Event payloads", as of 2026-08-22.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

EPOCH = 1_288_834_974_657
OLD, NEW = "2.157", "2.167"
_LINK = re.compile(r"https?://\S+")
_NAME = re.compile(r"@(\w{1,15})")
_TAG = re.compile(r"#(\w+)")
POST_DEFAULTS = {OLD: ("id", "text", "edit_history_tweet_ids"), NEW: ("id", "text", "edit_history_post_ids")}
# Fields that 2.167 has no name for in post.fields: they come with the expansion of the same name.
BY_EXPANSION = {
    "author_id": "author_id",
    "referenced_posts": "referenced_posts",
    "in_reply_to_user_id": "in_reply_to_user_id",
}


def snowflake(moment: datetime, sequence: int = 0) -> str:
    return str(((int(moment.timestamp() * 1000) - EPOCH) << 22) + sequence)


def moment_of(native_id: str) -> datetime:
    return datetime.fromtimestamp(((int(native_id) >> 22) + EPOCH) / 1000, tz=UTC)


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


@dataclass
class User:
    id: str
    username: str
    name: str
    followers: int = 100
    protected: bool = False
    suspended: bool = False


@dataclass
class Post:
    """One post; `written` is what its author typed, after the names that X put before it."""

    id: str
    author: User
    written: str
    conversation_id: str
    parent: str | None = None
    quoted: str | None = None
    repeated: str | None = None
    lang: str = "fr"
    likes: int = 0
    media: tuple[dict[str, Any], ...] = ()
    place: dict[str, Any] | None = None
    versions: list[str] = field(default_factory=list)
    withheld: tuple[str, ...] = ()
    hidden: bool = False
    long: bool = False

    @property
    def created_at(self) -> datetime:
        return moment_of(self.id)


@dataclass
class Event:
    """One direct message."""

    id: str
    sender: User
    conversation_id: str
    text: str


class World:
    """All of it."""

    def __init__(self) -> None:
        self.users: dict[str, User] = {}
        self.posts: dict[str, Post] = {}
        self.gone: set[str] = set()
        self.events: list[Event] = []
        self.links: dict[str, str] = {}
        self._sequence = 0

    # -- making ------------------------------------------------------------------------------------------------------------

    def user(self, username: str, native_id: str = "", **fields: Any) -> User:
        native_id = native_id or str(7_000_000_000 + len(self.users))
        made = User(native_id, username, fields.pop("name", username.title()), **fields)
        self.users[made.id] = made
        return made

    def next_id(self, moment: datetime) -> str:
        self._sequence = (self._sequence + 1) % 4096
        return snowflake(moment, self._sequence)

    def say(self, author: User, text: str, moment: datetime, *, parent: str | None = None, **fields: Any) -> Post:
        """A post as an app or a person makes it; an answer gets the names of the conversation before it."""
        native_id = self.next_id(moment)
        conversation = native_id
        if parent:
            conversation = self.posts[parent].conversation_id if parent in self.posts else parent
            names = self._names_before(author, parent, text) if fields.pop("names", True) else ""
            text = names + text
        made = Post(native_id, author, text, conversation, parent, versions=[native_id], **fields)
        self.posts[native_id] = made
        return made

    def _names_before(self, author: User, parent: str, text: str) -> str:
        if parent not in self.posts:
            return ""
        answered = self.posts[parent]
        wanted = dict.fromkeys([answered.author.username, *_NAME.findall(answered.written)])
        said = {name.lower() for name in _NAME.findall(text)}
        names = [name for name in wanted if name.lower() not in {author.username.lower(), *said}]
        return "".join(f"@{name} " for name in names)

    def edit(self, post: Post, text: str, moment: datetime) -> Post:
        """A new version: a post of its own, and the only one that lists show."""
        made = Post(self.next_id(moment), post.author, text, post.conversation_id, post.parent, post.quoted)
        versions = [*post.versions, made.id]
        self.posts[made.id] = made
        for native_id in versions:
            self.posts[native_id].versions = versions
        return made

    def write(self, sender: User, others: Sequence[User], text: str, moment: datetime) -> Event:
        """A direct message."""
        people = sorted({sender.id, *(one.id for one in others)}, key=int)
        conversation = "-".join(people) if len(people) == 2 else "15" + "".join(one[-4:] for one in people)
        made = Event(self.next_id(moment), sender, conversation, text)
        self.events.append(made)
        return made

    def delete(self, native_id: str) -> None:
        for version in self.posts[native_id].versions:
            self.gone.add(version)

    # -- looking -----------------------------------------------------------------------------------------------------------

    def listed(self, posts: Iterable[Post]) -> list[Post]:
        """What lists show: newest first, newest versions only, without what is gone."""
        shown = [
            post
            for post in posts
            if post.id not in self.gone and post.id == post.versions[-1] and not post.author.suspended
        ]
        return sorted(shown, key=lambda post: -int(post.id))

    def names_in(self, post: Post) -> list[User]:
        by_name = {user.username.lower(): user for user in self.users.values()}
        return [by_name[name.lower()] for name in _NAME.findall(post.written) if name.lower() in by_name]

    def searchable(self, post: Post) -> dict[str, Any]:
        answered = self.posts.get(post.parent or "")
        return {
            "text": post.written,
            "handle": post.author.username,
            "conversation_id": post.conversation_id,
            "lang": post.lang,
            "names": {user.username.lower() for user in self.names_in(post)},
            "answers": answered.author.username if answered else "",
            "retweet": post.repeated is not None,
        }

    # -- showing -----------------------------------------------------------------------------------------------------------

    def short_link(self, target: str) -> str:
        for short, known in self.links.items():
            if known == target:
                return short
        short = f"https://t.co/{len(self.links):010d}"
        self.links[short] = target
        return short

    def text_and_entities(self, written: str) -> tuple[str, dict[str, Any]]:
        text = written.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        urls = []
        for target in dict.fromkeys(_LINK.findall(written)):
            short = self.short_link(target)
            text = text.replace(target.replace("&", "&amp;"), short)
            start = text.find(short)
            shown = target.split("://")[1]
            urls.append(
                {"start": start, "end": start + len(short), "url": short, "expanded_url": target, "display_url": shown}
            )
        by_name = {user.username.lower(): user for user in self.users.values()}
        mentions = [
            {"start": match.start(), "end": match.end(), "username": match[1], "id": by_name[match[1].lower()].id}
            for match in _NAME.finditer(text)
            if match[1].lower() in by_name
        ]
        tags = [{"start": match.start(), "end": match.end(), "tag": match[1]} for match in _TAG.finditer(text)]
        entities = {"urls": urls, "mentions": mentions, "hashtags": tags}
        return text, {name: value for name, value in entities.items() if value}

    def whole(self, post: Post, version: str) -> dict[str, Any]:
        """Every field of a post."""
        written = post.written
        for one in post.media:
            written += f" https://x.com/{post.author.username}/status/{post.id}/{one['type']}/1"
        if post.quoted:
            quoted = self.posts.get(post.quoted)
            written += f" https://x.com/{quoted.author.username if quoted else 'i'}/status/{post.quoted}"
        text, entities = self.text_and_entities(written)
        old = version == OLD
        references = [("replied_to", post.parent), ("quoted", post.quoted), ("retweeted", post.repeated)]
        answered = self.posts.get(post.parent or "")
        shown: dict[str, Any] = {
            "id": post.id,
            "text": text[:275] + "…" if post.long else text,
            "edit_history_tweet_ids" if old else "edit_history_post_ids": list(post.versions),
            "author_id": post.author.id,
            "conversation_id": post.conversation_id,
            "created_at": iso(post.created_at),
            "lang": post.lang,
            "entities": entities,
            "possibly_sensitive": False,
            "reply_settings": "everyone",
            "referenced_tweets" if old else "referenced_posts": [
                {"type": kind, "id": target} for kind, target in references if target
            ],
            "public_metrics": {
                "retweet_count" if old else "repost_count": 1,
                "reply_count": sum(1 for one in self.posts.values() if one.parent == post.id),
                "like_count": post.likes,
                "quote_count": 2,
                "bookmark_count": 0,
                "impression_count": 40 + post.likes,
            },
        }
        if post.long:
            shown["note_tweet" if old else "note_post"] = {"text": text, "entities": entities}
        if answered:
            shown["in_reply_to_user_id"] = answered.author.id
        if post.media:
            shown["attachments"] = {"media_keys": [one["media_key"] for one in post.media]}
        if post.place:
            shown["geo"] = {"place_id": post.place["id"]}
        if post.withheld:
            shown["withheld"] = {"copyright": False, "country_codes": list(post.withheld)}
        return {name: value for name, value in shown.items() if value not in ([], {})}

    def user_shown(
        self, user: User, version: str, fields: Iterable[str] = ("public_metrics", "protected")
    ) -> dict[str, Any]:
        metrics = {
            "followers_count": user.followers,
            "following_count": 1,
            "tweet_count" if version == OLD else "post_count": 9,
            "listed_count": 0,
        }
        extra = {"public_metrics": metrics, "protected": user.protected}
        return {"id": user.id, "name": user.name, "username": user.username} | {
            name: value for name, value in extra.items() if name in set(fields)
        }

    def event_shown(self, event: Event, version: str) -> dict[str, Any]:
        text, entities = self.text_and_entities(event.text)
        shown = {
            "id": event.id,
            "event_type": "MessageCreate",
            "text": text,
            "sender_id": event.sender.id,
            "dm_conversation_id": event.conversation_id,
            "created_at": iso(moment_of(event.id)),
            **(entities if version == OLD else {"entities": entities}),
        }
        return {name: value for name, value in shown.items() if value}

    # -- deliveries --------------------------------------------------------------------------------------------------------

    def activity(self, kind: str, payload: dict[str, Any], owner: User, users: Iterable[User] = ()) -> dict[str, Any]:
        """A delivery of the X Activity API."""
        shown = [self.user_shown(user, OLD) for user in users]
        uuid = str(int(payload.get("id", "1")) ^ 0x5DEECE66D)
        data = {
            "event_uuid": uuid,
            "filter": {"user_id": owner.id},
            "event_type": kind,
            "tag": "comptoir",
            "payload": payload,
        }
        return {"data": {**data, "includes": {"users": shown} if shown else {}}}

    def message_payload(self, event: Event, recipient: User) -> dict[str, Any]:
        """The payload of dm.received and dm.sent, which is also that of the older account webhooks."""
        created = str(int(moment_of(event.id).timestamp() * 1000))
        data = {"text": event.text, "entities": {"hashtags": [], "symbols": [], "user_mentions": [], "urls": []}}
        made = {"target": {"recipient_id": recipient.id}, "sender_id": event.sender.id, "message_data": data}
        one = {"type": "message_create", "id": event.id, "created_timestamp": created, "message_create": made}
        people = {user.id: {"data": self.user_shown(user, OLD)} for user in (event.sender, recipient)}
        return {"direct_message_events": [one], "users": people}
