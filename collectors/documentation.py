"""What each network needs and allows, as Markdown from its own SPEC and rules: `python -m collectors.documentation`.

docs/connectors.md holds the result between two marks, and a test compares; nothing about a network is written there by hand.
Networks with a SPEC that does not say what they read (files, demo) have their words in the page itself.
"""

import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from importlib import import_module
from pathlib import Path

from collectors import COLLECTORS, spec
from domain.contracts import CollectorSpec
from domain.permission import ReplyRule

BEGIN, END = "<!-- made from the specs: begin -->", "<!-- made from the specs: end -->"
PAGE = Path(__file__).parents[1] / "docs" / "connectors.md"


def render() -> str:
    """All networks that say what they read."""
    parts = []
    for row in COLLECTORS:
        found = spec(row.key)
        if found.reads:
            parts.append("\n\n".join(_network(found, getattr(import_module(row.module), "RULES", ()))))
    return "\n\n".join(parts)


def written(page: str) -> str:
    """The page with the part between the marks made anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{render()}\n\n{END}{after}"


def _network(found: CollectorSpec, rules: Sequence[ReplyRule]) -> Iterator[str]:
    yield f"## {found.title} (`{found.key}`)"
    facts = [("reads", found.reads), ("answers", found.answers), ("permissions", ", ".join(found.permissions))]
    facts += [("limits", found.limits), ("price", _price(found)), ("what must be deleted", found.retention)]
    if found.rehydrate_every:
        facts.append(("looked up again", f"every {_span(found.rehydrate_every)}"))
    yield "\n".join(["| | |", "|---|---|", *(f"| {name} | {_cell(value)} |" for name, value in facts if value)])
    if found.access:
        yield "\n".join(["Before it works:", "", *(f"{number}. {step}" for number, step in enumerate(found.access, 1))])
    settings = [
        f"| `{one.key}` | {_cell(one.title)} | {'required' if one.required else 'optional'}{', secret' if one.secret else ''} |"
        for one in found.settings
    ]
    yield "\n".join(["| setting | | |", "|---|---|---|", *settings])
    if rules:
        head = ["May we answer? The first line that fits decides:", ""]
        head += ["| case | | what to mind | source, read on |", "|---|---|---|---|"]
        yield "\n".join([*head, *(_rule(rule) for rule in rules)])
    if found.facts:
        yield "\n".join(["Sources:", "", *(f"- {fact}" for fact in found.facts)])


def _rule(rule: ReplyRule) -> str:
    terms = ["yes" if rule.allowed else "no"]
    if rule.allowed:
        terms.append("in public" if rule.public else "in private")
        if rule.window:
            terms.append(f"within {_span(rule.window)}")
        if rule.price:
            terms.append(f"${rule.price:.3f}".rstrip("0").rstrip("."))
        if rule.text_limit:
            terms.append(f"{rule.text_limit:,} characters")
    return (
        f"| {rule.key} | {', '.join(terms)} | {_cell(rule.reason)} | {_cell(rule.source)}, {rule.read_on.isoformat()} |"
    )


def _price(found: CollectorSpec) -> str:
    return f"${found.price_per_read:g} for a mention that is read" if found.price_per_read else "reading is free"


def _span(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours / 24:g} days" if hours >= 48 else f"{hours:g} hours"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), encoding="utf-8")
    sys.stderr.write(f"{PAGE.name} is made anew.\n")
