"""RSS and Atom: blogs, press, and the comments below them.

Each run asks whether the feed has changed, and reads all of it again if so: entries come late and are edited, and what is
known already falls on its id. Fetching is `http`, reading the document `feed_document`; here an entry becomes a mention.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any
from urllib.parse import urlsplit

from collectors.feed_document import FeedDocument, read_feed
from collectors.http import Answer, Policy, WebReader
from collectors.values import content_id, count, counted, language, network_key, short_id, watches, web_url
from domain.clock import Now, utc_now
from domain.contracts import Collector, CollectorSpec, Cursor, Mapped, Page, Reject, Setting, Watch
from domain.errors import ConfigurationError, ContractError, InputError
from domain.mention import Author, Engagement, Mention, MentionKind
from domain.watch import watch_matches

SPEC = CollectorSpec(
    key="feed",
    title="RSS and Atom feeds",
    settings=(
        Setting("url", "Address of the feed"),
        Setting("network", "Channel that it is, e.g. blog", required=False),
        Setting("allow_private", "yes to read a server in your own network", required=False),
    ),
    lookback=timedelta(days=36_500),  # a feed that changed is read whole, however old its entries are
)
_ACCEPT = (
    "application/atom+xml, application/rss+xml, application/rdf+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1"
)
_YES = frozenset({"1", "true", "yes", "oui", "on"})
_COMMENTS_PATH = re.compile(r"(?:^|/)comments?(?:[/.]|$)|/commentaires(?:/|$)", re.IGNORECASE)
_COMMENTS_TITLE = re.compile(r"\s*(?:comments (?:on|for)|commentaires (?:sur|pour))\b", re.IGNORECASE)
_DAY_IN_ADDRESS = re.compile(r"(?:/|,)(20\d{2})[/-](\d{2})[/-](\d{2})(?:/|:|$)")  # /2024/03/05/ or tag:blog,2024-03-05:
_RAW_LIMIT = 2_000
_STILL_FRESH = timedelta(minutes=1)


def connect(settings: Mapping[str, str], *, now: Now = utc_now) -> Collector:
    """The collector of one feed. Raises ConfigurationError where the address is missing or none of the web."""
    url = settings.get("url", "").strip()
    if not url:
        raise ConfigurationError("The setting url is missing: give the address of the feed.")
    if urlsplit(url).scheme not in {"http", "https"}:
        raise ConfigurationError(f"“{url[:200]}” is no web address. Write one that starts with https:// or http://.")
    allow_private = settings.get("allow_private", "").strip().lower() in _YES
    web = WebReader(Policy(allow_private=allow_private), now=now)
    return FeedCollector(url, network=network_key(settings.get("network") or "blog"), web=web, now=now)


class FeedCollector:
    """The mentions of one feed."""

    spec = SPEC

    def __init__(self, url: str, *, network: str, web: WebReader, now: Now) -> None:
        self._url = url
        self._network = network
        self._web = web
        self._now = now
        self._checked: tuple[Answer, datetime] | None = None

    def check(self) -> None:
        """See Collector: the feed answers, and it is one. A `fetch` just after it does not ask again."""
        try:
            answer = self._web.get(self._url, accept=_ACCEPT)
            self._read(answer)
            self._checked = (answer, self._now())
        except ContractError as error:
            raise ConfigurationError(str(error)) from error

    def fetch(self, watch: Watch, since: Cursor | None) -> Iterator[Page]:
        """See Collector. One page, or none where nothing has changed.

        Raises:
            ConfigurationError: the address is none that may be read, or there is nothing at it.
            TransientError: it cannot be reached now.
            ContractError: it is no feed; for a web page, the message names the feeds that it advertises.
        """
        seen = _Seen.read(since, _source_key(self._url, watch))
        answer = self._answer(seen)
        digest = blake2b(answer.body, digest_size=16).hexdigest()
        if answer.not_modified or digest == seen.digest:
            return
        document = self._read(answer)
        run = _Run(Origin.of(document, self._url, self._network), seen.undated, self._now())
        mentions, rejects = run.read(document.entries)
        heard = tuple(_heard(mentions, watch))
        notes = [*document.notes, *run.notes]
        if len(heard) < len(mentions):
            notes.append(
                f"{counted(len(mentions) - len(heard), 'article')} left out: none of the words watched is in there."
            )
        if answer.moved_to:
            notes.append(f"The feed has moved for good. Change its address to {answer.moved_to}")
        after = _Seen(seen.source, answer.etag, answer.last_modified, digest, run.undated)
        yield Page(heard, after.cursor(), rejects=tuple(rejects), notes=tuple(notes))

    def _answer(self, seen: "_Seen") -> Answer:
        checked, self._checked = self._checked, None
        if checked and self._now() - checked[1] < _STILL_FRESH:
            return checked[0]
        return self._web.get(self._url, etag=seen.etag, last_modified=seen.last_modified, accept=_ACCEPT)

    def _read(self, answer: Answer) -> FeedDocument:
        return read_feed(answer.body, answer.content_type, answer.url)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where entries come from, as far as their mapping depends on it.

    Attributes:
        place: host and path of the feed; keeps apart the ids of feeds that merely number their entries.
        comments: whether the entries are comments below articles.
        link: the page that the feed belongs to.
    """

    network: str
    place: str
    comments: bool = False
    link: str = ""

    @classmethod
    def of(cls, document: FeedDocument, url: str, network: str) -> "Origin":
        """The origin of a document that was read from `url`."""
        parts = urlsplit(url)
        comments = bool(_COMMENTS_PATH.search(parts.path) or _COMMENTS_TITLE.match(document.title))
        return cls(network, f"{parts.hostname or ''}{parts.path}", comments, web_url(document.link))


def native_id_of(entry: Mapping[str, Any], origin: Origin) -> str:
    """The entry's own id, else its link, else a hash of what it says."""
    said = entry["id"] or entry["link"]
    if not said:
        return content_id((origin.place, entry["title"], entry["text"]))
    return short_id(said if ":" in said else f"{origin.place}#{said}")


def map_entry(entry: Mapping[str, Any], origin: Origin, created_at: datetime) -> Mention:
    """The mention that an entry of `FeedDocument` is. Pure.

    Raises:
        InputError: it says nothing, or too much.
    """
    text = entry["text"] or entry["title"]
    if not text:
        raise InputError("the entry has neither title nor text")
    native_id = native_id_of(entry, origin)
    comment = origin.comments or bool(entry["parent"])
    article, _, fragment = entry["link"].partition("#")
    thread = native_id
    if comment:
        thread = (article if fragment else "") or entry["parent"] or origin.link or native_id
    who = entry["author_url"] or entry["author"]
    return Mention(
        network=origin.network,
        native_id=native_id,
        text=text,
        created_at=created_at,
        kind=MentionKind.COMMENT if comment else MentionKind.ARTICLE,
        author=Author(short_id(who), name=entry["author"], url=web_url(entry["author_url"])) if who else None,
        conversation_id=short_id(thread),
        parent_id=short_id(entry["parent"]) if entry["parent"] else None,
        title=entry["title"],
        url=web_url(entry["link"]),
        lang_hint=language(entry["lang"]),
        engagement=Engagement(reply_count=count(entry["comment_count"])),
        raw=dict(entry),
    )


def map_document(body: bytes) -> Mapped:
    """The mentions of a saved feed; entries without a date are dated now.

    Raises:
        ContractError: it is no feed.
    """
    document = read_feed(body, "", "")
    run = _Run(Origin.of(document, "", "blog"), {}, utc_now())
    mentions, rejects = run.read(document.entries)
    return Mapped(tuple(mentions), tuple(rejects), notes=(*document.notes, *run.notes))


class _Run:
    """One reading of a feed: dates for entries that have none, ids that are used twice, and remarks on both."""

    def __init__(self, origin: Origin, undated: Mapping[str, str], now: datetime) -> None:
        self.undated: dict[str, str] = {}
        self.notes: list[str] = []
        self._origin = origin
        self._seen_undated = undated
        self._now = now

    def read(self, entries: tuple[dict[str, Any], ...]) -> tuple[list[Mention], list[Reject]]:
        """Every entry is one or the other."""
        mentions: dict[str, Mention] = {}
        rejects: list[Reject] = []
        uses = Counter(native_id_of(entry, self._origin) for entry in entries)
        for number, entry in enumerate(entries, start=1):
            try:
                mention = map_entry(entry, self._origin, self._moment_of(entry))
                if uses[mention.native_id] > 1:
                    mention = _told_apart(mention, entry)
                if mention.native_id in mentions:
                    raise InputError("it stands in the feed twice")
                mentions[mention.native_id] = mention
            except InputError as error:
                raw = json.dumps(entry, ensure_ascii=False)[:_RAW_LIMIT]
                rejects.append(Reject(f"entry {number}", str(error), raw))
        if self.undated:
            self.notes.append(
                f"{counted(len(self.undated), 'entry', 'entries')} without a date: dated when first read."
            )
        if any(times > 1 for times in uses.values()):
            self.notes.append("Some entries share one id: they are told apart by link and title.")
        return list(mentions.values()), rejects

    def _moment_of(self, entry: Mapping[str, Any]) -> datetime:
        if entry["published"]:
            return datetime.fromisoformat(entry["published"])
        day = _DAY_IN_ADDRESS.search(entry["link"]) or _DAY_IN_ADDRESS.search(entry["id"])
        if day:
            try:
                return datetime(int(day[1]), int(day[2]), int(day[3]), 12, tzinfo=UTC)
            except ValueError:
                pass  # only looks like a date
        key = content_id((native_id_of(entry, self._origin),))
        self.undated[key] = self._seen_undated.get(key) or self._now.astimezone(UTC).isoformat()
        return datetime.fromisoformat(self.undated[key])


def _heard(mentions: Iterable[Mention], watch: Watch) -> Iterator[Mention]:
    # The press writes of many things; but who comments on an article about the brand need not name it again.
    wanted, asked = watches(watch), Watch(query=watch.query)
    for mention in mentions:
        named = wanted(f"{mention.title}\n{mention.text}") if wanted else not watch.query
        if named or mention.kind is MentionKind.COMMENT or (watch.query and watch_matches(asked, mention)):
            yield mention


def _told_apart(mention: Mention, entry: Mapping[str, Any]) -> Mention:
    native_id = f"{mention.native_id}#{content_id((entry['link'], entry['title']))}"
    own_thread = mention.conversation_id == mention.native_id
    return replace(mention, native_id=native_id, conversation_id=native_id if own_thread else mention.conversation_id)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the last run saw, which is all that the cursor holds.

    Attributes:
        source: key of address and watch; with another one, everything is new.
        undated: entry -> when it was first read, of the entries without a date that the feed still holds.
    """

    source: str
    etag: str = ""
    last_modified: str = ""
    digest: str = ""
    undated: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, cursor: Cursor | None, source: str) -> "_Seen":
        try:
            parts = json.loads(cursor or "{}")
            undated = {str(key): datetime.fromisoformat(at).isoformat() for key, at in parts["undated"].items()}
            seen = cls(
                str(parts["source"]), str(parts["etag"]), str(parts["last_modified"]), str(parts["digest"]), undated
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            return cls(source)  # reading everything again loses nothing
        return seen if seen.source == source else cls(source, undated=undated)

    def cursor(self) -> Cursor:
        return Cursor(json.dumps(asdict(self), sort_keys=True))


def _source_key(url: str, watch: Watch) -> str:
    return content_id((url, *watch.terms, "", *watch.accounts, *([watch.query] if watch.query else [])))
