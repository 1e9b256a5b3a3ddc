"""What every collector promises: CHECKS, run over COLLECTORS by test_collectors.py, each with doubles that must fail it.

A check gets a Bench: ways to make fresh collectors on one unchanged source, and on sources that cannot be read. To add a
promise, write a check here and put it into CHECKS; test_collectors.py then asks for a double that breaks it.
"""

import json
import re
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any

from domain.contracts import CanReply, Collector, Cursor, IdempotencyKey, Page, Watch
from domain.errors import ComptoirError, ConfigurationError, TransientError
from domain.mention import Mention, MentionId

Factory = Callable[[], Collector]
EVERYTHING = Watch()


@dataclass(frozen=True)
class Bench:
    """One collector under test.

    Attributes:
        make: a fresh collector on the same source each time; what it knows, it knows from there.
        failing: collectors that cannot read what they should; making one may already fail.
        mapping: the pure part, raw item -> mention or mentions.
        raws: raw items for it.
        answerable: a mention that may be answered, where the collector can reply.
    """

    make: Factory
    failing: tuple[Factory, ...]
    mapping: Callable[[Any], Any]
    raws: tuple[Any, ...]
    answerable: Mention | None = None

    def read(self, since: Cursor | None = None) -> list[Page]:
        """All pages from a place on, by a fresh collector."""
        return list(self.make().fetch(EVERYTHING, since))


Check = Callable[[Bench], None]


# -- what is read --------------------------------------------------------------------------------------------------------


def mentions_are_well_formed(bench: Bench) -> None:
    """Aware UTC, a network that is a key, something said, values that can be stored."""
    mentions = _mentions(bench.read())
    assert mentions, "the source of the bench holds no mention"
    for mention in mentions:
        assert mention.created_at.utcoffset() == timedelta(), f"{mention.id}: {mention.created_at} is not in UTC"
        assert re.fullmatch(r"[a-z0-9_]+", mention.network), f"{mention.id}: the network is no key"
        assert mention.text.strip() or mention.title.strip(), f"{mention.id}: nothing is said"
        for words in (mention.text, mention.title, mention.native_id):
            assert "\x00" not in words, f"{mention.id}: holds a NUL character"
            words.encode("utf-8")
        assert mention.rating is None or mention.rating in range(1, 6), f"{mention.id}: {mention.rating} stars"
        assert mention.url == "" or mention.url.startswith(("http://", "https://")), f"{mention.id}: {mention.url}"
        assert mention.parent_id != "", f"{mention.id}: an empty parent"
        assert mention.author is None or mention.author.native_id, f"{mention.id}: an author without an id"
        assert _is_json(mention.raw), f"{mention.id}: what the source sent cannot be kept as JSON"


def no_mention_comes_twice(bench: Bench) -> None:
    """Within one run, an id stands for one utterance."""
    ids = [mention.id for mention in _mentions(bench.read())]
    assert len(ids) == len(set(ids)), "an id comes twice in one run"


def fetch_is_repeatable(bench: Bench) -> None:
    """Same source, same place: same mentions, rejects and cursors."""
    assert bench.read() == bench.read(), "reading the same source twice gives two different results"


def mapping_is_pure(bench: Bench) -> None:
    """The same raw item gives the same mention, and stays as it was."""
    assert bench.raws, "the bench has no raw item to map"
    for raw in bench.raws:
        before = deepcopy(raw)
        first, second = bench.mapping(raw), bench.mapping(raw)
        assert raw == before, "mapping changes what the source sent"
        assert first == second, "mapping the same item twice gives two different results"


# -- going on where the last run stopped -----------------------------------------------------------------------------------


def every_cursor_resumes(bench: Bench) -> None:
    """From any page's cursor comes all that follows it, and nothing again that is older than the look-back."""
    pages, lookback = bench.read(), bench.make().spec.lookback
    for number in _spread(len(pages)):
        cursor = pages[number - 1].cursor
        if cursor is None:
            continue
        after, rest = pages[number:], bench.read(cursor)
        expected = _ids(after)
        lost = expected - _ids(rest)
        assert not lost, f"resuming after page {number} loses {sorted(lost)[:3]}"
        newest = max((mention.created_at for mention in _mentions(pages[:number])), default=None)
        for mention in _mentions(rest):
            reread = lookback and newest and mention.created_at >= newest - lookback
            assert mention.id in expected or reread, f"resuming after page {number} brings {mention.id} again"
        if not lookback:
            assert _rejects(rest) == _rejects(after), f"resuming after page {number}, the rejects differ"


def a_killed_run_loses_nothing(bench: Bench) -> None:
    """Killed after any page, with that page and its cursor stored, the next run brings all that is missing."""
    everything = bench.read()
    for count in (0, *_spread(len(everything))):
        run = iter(bench.make().fetch(EVERYTHING, None))
        stored = list(islice(run, count))
        getattr(run, "close", lambda: None)()
        last = next((page.cursor for page in reversed(stored) if page.cursor), None)
        missing = _ids(everything) - _ids(stored) - _ids(bench.read(last))
        assert not missing, f"killed after page {count}, it loses {sorted(missing)[:3]}"


def a_run_that_ends_can_be_resumed(bench: Bench) -> None:
    """The last page has a cursor, and from there on an unchanged source brings nothing new."""
    pages = bench.read()
    assert pages and pages[-1].cursor is not None, "the last page says no place to go on from"
    assert _ids(bench.read(pages[-1].cursor)) <= _ids(pages), "an unchanged source brings something new"


def cursors_are_json(bench: Bench) -> None:
    """A cursor is JSON text: written anew by somebody else, it still leads to the same place."""
    pages = bench.read()
    for number in _spread(len(pages)):
        cursor = pages[number - 1].cursor
        if cursor is None:
            continue
        assert isinstance(cursor, str) and _is_json_text(cursor), f"{cursor!r} is no JSON text"
        parts = json.loads(cursor)
        turned = dict(reversed(parts.items())) if isinstance(parts, dict) else parts
        rewritten = Cursor(json.dumps(turned, indent=1))
        assert bench.read(rewritten) == bench.read(cursor), f"{cursor!r} depends on how it is written"


# -- what goes wrong -----------------------------------------------------------------------------------------------------


def check_tells_what_to_do(bench: Bench) -> None:
    """`check` is silent where all is well, and else raises what a person or the clock can act on."""
    error = _error_of(bench.make().check)
    assert error is None, f"check finds fault with a source that can be read: {error!r}"
    assert bench.failing, "the bench has no source that cannot be read"
    for factory in bench.failing:
        error = _error_of(lambda factory=factory: factory().check())
        assert error is not None, "check finds nothing wrong with a source that cannot be read"
        assert isinstance(error, ConfigurationError | TransientError), f"check raises {error!r}"
        assert len(str(error)) > 20, f"{error!r} does not say what to do"


def fetch_raises_domain_errors(bench: Bench) -> None:
    """Whatever goes wrong outside comes as one of `domain.errors`, with words for a person."""
    for factory in bench.failing:
        error = _error_of(lambda factory=factory: list(factory().fetch(EVERYTHING, None)))
        assert error is not None, "fetch reads a source that cannot be read"
        assert isinstance(error, ComptoirError), f"fetch raises {error!r}"
        assert len(str(error)) > 20, f"{error!r} does not say what happened"


# -- replies -------------------------------------------------------------------------------------------------------------


def powers_are_as_told(bench: Bench) -> None:
    """A collector has the methods of CanReply where its spec says so, and only there."""
    collector = bench.make()
    assert isinstance(collector, CanReply) == collector.spec.can_reply, "the spec does not say what it can do"
    assert collector.spec == bench.make().spec, "the spec is not constant"


def replies_are_sound(bench: Bench) -> None:
    """Asking whether one may reply changes nothing; a reply that was sent has an id."""
    collector = bench.make()
    if not isinstance(collector, CanReply):
        return
    assert bench.answerable, "the bench has no mention that may be answered"
    before = deepcopy(bench.answerable)
    permission = collector.may_reply(bench.answerable)
    assert permission == collector.may_reply(bench.answerable), "the permission changes from call to call"
    assert (bench.answerable, bench.answerable.raw) == (before, before.raw), "asking changes the mention"
    assert permission.allowed, "the mention of the bench may not be answered"
    remote_id = collector.reply(bench.answerable, "Merci pour votre message. Awa", IdempotencyKey("suite-1"))
    assert isinstance(remote_id, str) and remote_id, "a reply has no id"


CHECKS: tuple[Check, ...] = (
    mentions_are_well_formed,
    no_mention_comes_twice,
    fetch_is_repeatable,
    mapping_is_pure,
    every_cursor_resumes,
    a_killed_run_loses_nothing,
    a_run_that_ends_can_be_resumed,
    cursors_are_json,
    check_tells_what_to_do,
    fetch_raises_domain_errors,
    powers_are_as_told,
    replies_are_sound,
)


def _mentions(pages: Iterable[Page]) -> list[Mention]:
    return [mention for page in pages for mention in page.mentions]


def _ids(pages: Iterable[Page]) -> set[MentionId]:
    return {mention.id for mention in _mentions(pages)}


def _rejects(pages: Iterable[Page]) -> list[str]:
    return [reject.position for page in pages for reject in page.rejects]


def _spread(count: int) -> list[int]:
    """Page numbers to stop at: all of them where they are few, else the ends and some in between."""
    return list(range(1, count + 1)) if count <= 8 else [1, 2, count // 3, count // 2, count - 1, count]


def _is_json(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


def _is_json_text(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _error_of(call: Callable[[], object]) -> Exception | None:
    try:
        call()
    except Exception as error:
        return error
    return None
