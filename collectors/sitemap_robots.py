"""robots.txt: what a site lets programs read, and where its sitemaps are. Pure. Source: RFC 9309, read 2026-11-26.

The group of our own name counts, else the one for all; of its rules the longest that matches, and of two as long the one that
allows. `*` stands for anything, `$` for the end.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from collectors.values import web_url

AGENT = "comptoir"
_LIMIT = 500 * 1024  # bytes that are read
_MAX_RULES = 5_000
_MAX_STARS = 50
_UNRESERVED = re.compile(r"%(?:2[dDeE]|3[0-9]|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aAeE])")
_ESCAPED = re.compile(r"%[0-9a-fA-F]{2}")


@dataclass(frozen=True, slots=True)
class Robots:
    """What a robots.txt says to us.

    Attributes:
        rules: paths, and whether they may be read.
        sitemaps: addresses that it names.
    """

    rules: tuple[tuple[str, bool], ...] = ()
    sitemaps: tuple[str, ...] = ()

    def allows(self, url: str) -> bool:
        """Whether an address of this site may be read."""
        parts = urlsplit(url)
        path = _plain((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
        best = max(((len(rule), allowed) for rule, allowed in self.rules if _matches(rule, path)), default=(0, True))
        return best[1]


def read_robots(body: bytes) -> Robots:
    """What a robots.txt says; what is no rule is passed over."""
    groups: dict[str, list[tuple[str, bool]]] = {}
    sitemaps: list[str] = []
    names: list[str] = []
    heading = False
    count = 0
    for line in body[:_LIMIT].decode("utf-8-sig", "replace").splitlines():
        key, mark, value = line.partition("#")[0].partition(":")
        key, value = key.strip().lower(), value.strip()
        if not mark:
            continue
        if key == "sitemap":
            address = web_url(line.partition(":")[2].strip())
            sitemaps += [address] if address else []
        elif key == "user-agent":
            names = [*names, value.lower()] if heading else [value.lower()]
            groups.setdefault(value.lower(), [])
            heading = True
        elif key in {"allow", "disallow"}:
            heading = False
            count += 1
            for name in names if value and count <= _MAX_RULES else ():
                groups[name].append((_plain(value), key == "allow"))
    ours = next((rules for name, rules in groups.items() if name.split("/")[0] == AGENT), groups.get("*", []))
    return Robots(tuple(ours), tuple(dict.fromkeys(sitemaps))[:20])


def _matches(rule: str, path: str) -> bool:
    """In time that grows with both lengths: each piece is looked for after the one before it."""
    to_end = rule.endswith("$")
    first, *others = (rule.removesuffix("$")).split("*")[: _MAX_STARS + 1]
    if not path.startswith(first):
        return False
    at = len(first)
    for piece in others[:-1]:
        found = path.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    if not others:
        return at == len(path) or not to_end
    last = others[-1]
    return path.endswith(last) and len(path) - len(last) >= at if to_end else path.find(last, at) >= 0


def _plain(path: str) -> str:
    """One spelling: what needs no percent sign has none, what is not ASCII has one."""
    bare = _UNRESERVED.sub(lambda found: unquote(found[0]), path)
    return _ESCAPED.sub(lambda found: found[0].upper(), quote(bare, safe="%/:?#[]@!$&'()*+,;=-._~"))
