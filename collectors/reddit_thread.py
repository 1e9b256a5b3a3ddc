"""One thread of Reddit, read whole within bounds: `opened`; and the part of it that concerns us: `in_part`.

Reddit nests answers, cuts long threads short, and gives the rest by name (`more`), a hundred at a time.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from collectors.reddit_map import COMMENT, POST, Contents, Thing
from collectors.reddit_service import Service, path_of
from collectors.threads import digest_of
from collectors.wire import count_of, list_of, text_of

MOST_MORE = 5  # questions for what was cut off
_AT_ONCE = 100
_OPENED = 500  # comments that Reddit gives at once
_TELLING = tuple(  # what of a thing is worth telling again; not the score, which Reddit blurs at each look
    (name,) for name in ("name", "edited", "body", "selftext", "author", "locked", "archived")
)


@dataclass(frozen=True, slots=True)
class Opened:
    """A thread as it is now.

    Attributes:
        post: None where Reddit does not show it.
        comments: each told whether the thread is locked or archived; in no order that matters.
        left: answers that were not read.
    """

    post: Thing | None
    comments: tuple[Thing, ...]
    left: int = 0


def opened(service: Service, post: str) -> Opened:
    """The thread below a post, the newest answers first where it is too long. Raises as Service.get does."""
    short = post.removeprefix("t3_")
    answer = service.get(path_of("comments", short), {"sort": "new", "limit": _OPENED, "threaded": "true"})
    contents = Contents.of(answer.data)
    things = [thing for _, thing in contents.things]
    waiting, asked = list(contents.more), 0
    while waiting and asked < MOST_MORE:
        one = waiting.pop(0)
        names = [name for child in list_of(one.get("children")) if (name := text_of(child))]
        if len(names) > _AT_ONCE:
            waiting.insert(
                0, {**one, "children": names[_AT_ONCE:], "count": (count_of(one.get("count")) or 0) - _AT_ONCE}
            )
            names = names[:_AT_ONCE]
        more = Contents.of(_asked(service, post, names, text_of(one.get("parent_id"))))
        asked += 1
        things += [thing for _, thing in more.things]
        waiting += [found for found in more.more if found != one]
    found = next((thing for thing in things if thing.kind == POST), None)
    comments = {thing.full_name: thing for thing in things if thing.kind == COMMENT}
    left = sum(max(1, count_of(one.get("count")) or len(list_of(one.get("children")))) for one in waiting)
    return Opened(found, tuple(_below(found, one) for one in comments.values()), left)


def _asked(service: Service, post: str, names: list[str], parent: str) -> Any:
    if names:
        asked = {
            "api_type": "json",
            "link_id": post,
            "children": ",".join(names),
            "sort": "new",
            "limit_children": "false",
        }
        return service.get("/api/morechildren", asked).data
    short = parent.partition("_")[2]  # “continue this thread”: answers below an answer, in a view of their own
    if not short:
        return []
    body = service.get(
        path_of("comments", post.removeprefix("t3_"), "_", short), {"sort": "new", "limit": _OPENED}
    ).data
    return list_of(body)[1:]


def _below(post: Thing | None, comment: Thing) -> Thing:
    if post is None:
        return comment
    told = {f"link_{name}": post.data[name] for name in ("locked", "archived") if isinstance(post.data.get(name), bool)}
    return Thing(comment.kind, {"link_title": post.data.get("title"), **comment.data, **told})


def digest(found: Opened) -> str:
    """Changes when anything in the thread does that is worth telling again."""
    things: Iterable[Thing] = (*((found.post,) if found.post else ()), *found.comments)
    return digest_of((thing.data for thing in things), *_TELLING)


def in_part(found: Opened, has_part: Callable[[Thing], bool]) -> list[Thing]:
    """The post, and the branches that we have a part in; all of them where the post is ours.

    A branch is a first answer with all that stands below it.
    """
    post = [found.post] if found.post else []
    if found.post and has_part(Thing(COMMENT, {"author": found.post.data.get("author")})):
        return [*post, *found.comments]
    parents = {one.full_name: text_of(one.data.get("parent_id")) for one in found.comments}
    branches = {one.full_name: _branch(one.full_name, parents) for one in found.comments}
    ours = {branches[one.full_name] for one in found.comments if has_part(one)}
    return [*post, *(one for one in found.comments if branches[one.full_name] in ours)]


def _branch(name: str, parents: dict[str, str]) -> str:
    walked: set[str] = set()
    while name not in walked and parents.get(name, "").startswith("t1_") and parents[name] in parents:
        walked.add(name)
        name = parents[name]
    return name
