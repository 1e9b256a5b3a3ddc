"""What happens on a Page and on its Instagram account: the state behind `tests.fakes.meta`, told by short verbs."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

PAGE, PAGE_NAME = "104000000000001", "Ormelune"
ACCOUNT, HANDLE = "17841400000000001", "ormelune"
START = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def written(at: datetime) -> str:
    """As Graph writes moments."""
    return at.strftime("%Y-%m-%dT%H:%M:%S+0000")


@dataclass
class Thing:
    """A post, medium, comment, recommendation or message.

    Attributes:
        kind: ``post``, ``media``, ``comment``, ``reply`` (on Instagram), ``rating`` or ``message``.
        on: the post or medium that it belongs to; parent: the comment that it answers.
        lists: where a post or medium stands: feed, visitor_posts, tagged, media, tags, or a hashtag.
        fields: further fields as they are given out, or hidden with None.
    """

    id: str
    kind: str
    text: str
    at: datetime
    author: str = ""
    on: str = ""
    parent: str = ""
    lists: tuple[str, ...] = ()
    hidden: bool = False
    updated: datetime | None = None
    answered_privately: str = ""
    fields: dict[str, Any] = field(default_factory=dict)


class World:
    """People, what they say, and when."""

    def __init__(self) -> None:
        self.clock = START
        self.things: dict[str, Thing] = {}
        self.people: dict[str, str] = {PAGE: PAGE_NAME, ACCOUNT: HANDLE}
        self.hashtags: dict[str, str] = {}
        self.queried: dict[str, datetime] = {}
        self._next = 1000

    def number(self, start: str = "") -> str:
        self._next += 7
        return f"{start}{self._next}"

    def person(self, name: str) -> str:
        """The number of somebody, made when first named."""
        for number, known in self.people.items():
            if known == name:
                return number
        number = self.number("9000")
        self.people[number] = name
        return number

    def wait(self, **span: float) -> None:
        self.clock += timedelta(**span)

    def _add(self, thing: Thing) -> Thing:
        self.things[thing.id] = thing
        return thing

    def _later(self, after: float) -> datetime:
        self.clock += timedelta(minutes=after)
        return self.clock

    # -- Facebook ----------------------------------------------------------------------------------------------------------

    def post(
        self, text: str, by: str = PAGE_NAME, *, after: float = 1, lists: tuple[str, ...] = (), **fields: Any
    ) -> Thing:
        """A post on the Page: the Page's own, or a visitor's."""
        author = self.person(by)
        own = author == PAGE
        lists = lists or (("feed",) if own else ("feed", "visitor_posts"))
        at = self._later(after)
        return self._add(Thing(f"{PAGE}_{self.number()}", "post", text, at, author, lists=lists, fields=fields))

    def tag(self, text: str, by: str, *, after: float = 1, **fields: Any) -> Thing:
        """Somebody's post elsewhere that tags the Page."""
        author, at = self.person(by), self._later(after)
        fields = {"tagged_time": written(at), **fields}
        return self._add(Thing(f"{author}_{self.number()}", "post", text, at, author, lists=("tagged",), fields=fields))

    def comment(
        self, on: Thing, text: str, by: str, *, parent: Thing | None = None, after: float = 1, **fields: Any
    ) -> Thing:
        """Below a post or recommendation, or below a comment on it."""
        at = self._later(after)
        post = on.id.partition("_")[2] or on.id
        number = f"{post}_{self.number()}"
        thing = Thing(number, "comment", text, at, self.person(by), on.id, parent.id if parent else "", fields=fields)
        on.updated = at
        return self._add(thing)

    def rate(self, text: str, by: str, kind: str = "positive", *, after: float = 1, **fields: Any) -> Thing:
        """A recommendation."""
        at = self._later(after)
        fields = {"recommendation_type": kind, **fields}
        return self._add(
            Thing(self.number("55"), "rating", text, at, self.person(by), lists=("ratings",), fields=fields)
        )

    # -- both --------------------------------------------------------------------------------------------------------------

    def write(
        self, text: str, by: str, *, to: str = "", instagram: bool = False, after: float = 1, **fields: Any
    ) -> Thing:
        """A private message to us, or ours `to` somebody."""
        ours = ACCOUNT if instagram else PAGE
        other = self.person(to or by)
        author = ours if to else other
        start = "aWdfZAG1" if instagram else "m_"
        at = self._later(after)
        on = f"{'ig' if instagram else 't'}_{other}"
        return self._add(Thing(self.number(start), "message", text, at, author, on=on, fields=fields))

    def delete(self, thing: Thing) -> None:
        """Gone, with all below it."""
        del self.things[thing.id]
        for other in [one for one in self.things.values() if thing.id in {one.on, one.parent}]:
            self.things.pop(other.id, None)

    def edit(self, thing: Thing, text: str) -> None:
        self.wait(minutes=1)
        thing.text = text
        if thing.kind == "post":
            thing.updated = self.clock

    # -- Instagram ---------------------------------------------------------------------------------------------------------

    def media(
        self, text: str, by: str = HANDLE, *, lists: tuple[str, ...] = (), after: float = 1, **fields: Any
    ) -> Thing:
        """A medium: our own, one that tags us, or one with a hashtag (`lists` names it)."""
        at = self._later(after)
        lists = lists or (("media",) if by == HANDLE else ())
        return self._add(Thing(self.number("180"), "media", text, at, self.person(by), lists=lists, fields=fields))

    def reply(
        self, on: Thing, text: str, by: str, *, parent: Thing | None = None, after: float = 1, **fields: Any
    ) -> Thing:
        """A comment on a medium, or an answer to one; Instagram hangs answers below the first comment."""
        at = self._later(after)
        top = (parent.parent or parent.id) if parent else ""
        return self._add(Thing(self.number("179"), "reply", text, at, self.person(by), on.id, top, fields=fields))

    # -- looking -----------------------------------------------------------------------------------------------------------

    def all(self, kind: str, **wanted: str) -> list[Thing]:
        """Of a kind, newest first."""
        found = [one for one in self.things.values() if one.kind == kind]
        found = [one for one in found if all(getattr(one, name) == value for name, value in wanted.items())]
        return sorted(found, key=lambda one: (one.at, one.id), reverse=True)

    def below(self, thing: Thing) -> list[Thing]:
        """All comments on a post, or below a comment, newest first."""
        return [one for one in self.all("comment") if thing.id == one.on or thing.id in self.above(one)]

    def above(self, comment: Thing) -> list[str]:
        found = []
        while comment.parent and comment.parent in self.things:
            found.append(comment.parent)
            comment = self.things[comment.parent]
        return found

    def ours(self) -> list[Thing]:
        """All that we said, oldest first."""
        return sorted((one for one in self.things.values() if one.author in {PAGE, ACCOUNT}), key=lambda one: one.at)
