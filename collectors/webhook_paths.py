"""Where in a stranger's JSON the fields of a mention are: paths, constants, choices; as one JSON object in the setting mapping.

Pure. `read_layout` reads the setting, `Layout.cells` picks the fields out of one item. A value of the mapping is one of

    "comment.body"                          a path; from `$.` on it begins at the whole body, else at the item
    "=call"                                 a constant
    ["comment.html", "comment.body"]        the first that finds something
    {"path": "from.role", "is": "agent"}    yes or no
    {"path": "channel", "words": {...}}     the sender's words put into ours
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from collectors.tables.columns import FIELDS
from collectors.wire import text_of
from domain.errors import ConfigurationError

OWN_FIELDS = ("kind", "deleted", "updated", "rating_scale")
_NAMES = {"id": "native_id", "thread_id": "conversation_id"}
KNOWN = ("items", "id", "thread_id", *OWN_FIELDS, *FIELDS)
_STEP = re.compile(r"""(?:^|\.)([^.\[\]"]+)|\[(\d{1,6}|\*)\]|\[["']([^"']+)["']\]""")
_EVERY = "*"
_FOUND_LIMIT = 10_000  # values of one path, items of one delivery
_YES = frozenset({"1", "true", "yes", "oui"})

Steps = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to a value.

    Attributes:
        from_body: begins at the whole body, not at the item.
        constant: the value itself, instead of a path.
        among: yes where the value is one of these; None: the value itself.
        words: the sender's words -> ours.
    """

    written: str
    steps: Steps = ()
    from_body: bool = False
    constant: str | None = None
    among: frozenset[str] | None = None
    words: Mapping[str, str] = field(default_factory=dict)

    def find(self, item: Any, body: Any) -> Any:
        """The value, None where there is none; several (`[*]`) as a list."""
        if self.constant is not None:
            return self.constant
        found = list(follow(body if self.from_body else item, self.steps))
        if self.among is not None:
            return "yes" if any(_word(one) in self.among for one in found) else "no"
        found = [self.words.get(_word(one), one) for one in found if one not in (None, "", [], {})]
        if not found:
            return None
        return found if _EVERY in self.steps else found[0]


@dataclass(frozen=True, slots=True)
class Layout:
    """A whole mapping."""

    items: Rule | None = None
    rules: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)

    def cells(self, item: Any, body: Any) -> dict[str, Any]:
        """Field -> what the item holds for it; a field of which nothing was found is left out."""
        found = {}
        for key, rules in self.rules.items():
            value = next((one for rule in rules if (one := rule.find(item, body)) is not None), None)
            if isinstance(value, list):
                value = "\n".join(filter(None, map(_word, value))) if key == "text" else value[0]
            if value is not None:
                found[key] = value
        return found

    def path(self, key: str) -> str:
        """How a field is looked for, for messages."""
        return " or ".join(rule.written for rule in self.rules.get(key, ()))


def read_layout(written: str) -> Layout:
    """The mapping that a setting holds; empty where the usual names are enough. Raises ConfigurationError."""
    if not written.strip():
        return Layout()
    try:
        told = json.loads(written)
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else "too deep"
        raise ConfigurationError(
            f'The setting mapping is no JSON ({reason}). Write e.g. {{"id": "ticket.id", "text": "comment.body"}}.'
        ) from error
    if not isinstance(told, dict) or not told:
        raise ConfigurationError('The setting mapping is no JSON object. Write e.g. {"text": "comment.body"}.')
    items: Rule | None = None
    rules: dict[str, tuple[Rule, ...]] = {}
    for key, value in told.items():
        if key not in KNOWN:
            raise ConfigurationError(f"The mapping names “{key}”, which is no field. Choose among: {', '.join(KNOWN)}.")
        ways = tuple(_rule(key, one) for one in (value if isinstance(value, list) else [value]))
        if key == "items":
            items = ways[0] if len(ways) == 1 else None
            if items is None or items.constant is not None or items.among is not None:
                raise ConfigurationError('The mapping of items must be one path, e.g. "data[*]".')
        elif ways:
            rules[_NAMES.get(key) or str(key)] = ways
    if "text" not in rules and "deleted" not in rules:
        raise ConfigurationError('The mapping says nothing of the text. Add e.g. "text": "comment.body".')
    return Layout(items, rules)


def follow(value: Any, steps: Steps) -> Iterator[Any]:
    """All that is at the end of these steps, at most 10,000; nothing where a step is missing."""
    found = [value]
    for step in steps:
        if step == _EVERY:
            found = [inner for one in found if isinstance(one, list) for inner in one][:_FOUND_LIMIT]
        elif isinstance(step, int):
            found = [one[step] for one in found if isinstance(one, list) and step < len(one)]
        else:
            found = [one[step] for one in found if isinstance(one, dict) and step in one]
    yield from found


def is_yes(value: Any) -> bool:
    """Whether a value of the sender's means yes."""
    return value is True or _word(value).lower() in _YES


def _rule(key: str, value: Any) -> Rule:
    if isinstance(value, str) and value.startswith("="):
        return Rule(value, constant=value[1:])
    if isinstance(value, str):
        return Rule(value, *_steps(key, value))
    if isinstance(value, dict) and isinstance(value.get("path"), str) and value.keys() <= {"path", "is", "words"}:
        steps, from_body = _steps(key, value["path"])
        among, words = value.get("is"), value.get("words", {})
        if among is not None:
            among = frozenset(_word(one) for one in (among if isinstance(among, list) else [among]))
        if isinstance(words, dict):
            return Rule(
                value["path"], steps, from_body, among=among, words={one: _word(to) for one, to in words.items()}
            )
    raise ConfigurationError(
        f'The mapping of “{key}” cannot be read. Write a path ("comment.body"), a constant ("=call"), a list of them, or '
        '{"path": …, "is": …} or {"path": …, "words": {…}}.'
    )


def _steps(key: str, written: str) -> tuple[Steps, bool]:
    path = written.strip()
    from_body = path == "$" or path.startswith(("$.", "$["))
    path = path.removeprefix("$").removeprefix(".") if from_body else path
    steps: list[str | int] = []
    at = 0
    while at < len(path):
        found = _STEP.match(path, at)
        if not found:
            raise ConfigurationError(
                f"The path “{written}” of “{key}” cannot be read. Write e.g. data[*].comment.body."
            )
        name, index, quoted = found.groups()
        steps.append(int(index) if index and index != _EVERY else name or quoted or _EVERY)
        at = found.end()
    if not steps and not from_body:
        raise ConfigurationError(f"The mapping of “{key}” is an empty path. Leave it out, or write one.")
    return tuple(steps), from_body


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, float) else text_of(value)
