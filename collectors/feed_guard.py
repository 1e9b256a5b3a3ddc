"""Feeds that would take much more time or memory to read than their size: refused, or made harmless, before the parser.

Entity bombs, deep nesting, endless lists: what is counted here is what feedparser and the XML parser below it are known
to labour on. All checks take time in proportion to the text. What an honest feed holds passes unchanged in meaning.
"""

import html
import re

from domain.errors import ContractError

TAG_LIMIT = 200_000  # a feed of a thousand entries has about twenty thousand
DEPTH_LIMIT = 1_000
BASE_DEPTH_LIMIT = 20  # elements within each other that each change the base address: it grows with each
NAMESPACE_LIMIT = 100
SHORT_LIMIT = 500  # characters of an author or a date
ATTRIBUTE_LIMIT = 300
ENTITY_LIMIT = 32  # characters that an entity may stand for; those of honest feeds are single characters

_NO_SPACE = re.compile(r"\S")
_SUBSET_END = re.compile(r"\]\s*>")
_ENTITY = re.compile(r"<!ENTITY\s+(%\s+)?([\w.-]{1,40})\s+(?:(SYSTEM|PUBLIC)\b[^>]*|\"([^\"]*)\"|'([^']*)')\s*>")
_SECTION = re.compile(r"<!--|<!\[CDATA\[")
_ENTITY_START = re.compile(r"<!ENTITY", re.IGNORECASE)
_CHARACTER = re.compile(r"&#\w{1,8};")
_TAG = re.compile(r"<(/?)(?:[\w.-]+:)?([A-Za-z_][^\s<>/]*)([^<]*)")
# Possessive: what was matched is not kept for a second try, so memory does not grow with the attributes.
_WHOLE_TAG = re.compile(r"<[^\s<>\"'][^<>\"']*+(?:\"[^\"<]*+\"[^<>\"']*+|'[^'<]*+'[^<>\"']*+)*+>")
_BASE = re.compile(r"base\s*=", re.IGNORECASE)
_NAMESPACE = re.compile(r"xmlns:([\w.-]+)")
_VOID = frozenset({"br", "hr", "img", "input"})
_SHORT = frozenset(
    {"author", "contributor", "creator", "email", "managingeditor", "name", "publisher", "webmaster"}
    | {"created", "date", "issued", "modified", "pubdate", "published", "updated"}
)
# Of no use here, and read in a time that grows with the square of their number.
_LABELS = re.compile(r"(</?)(?:[\w.-]+:)?(?:category|subject|keywords|tags)\b", re.IGNORECASE)


def made_harmless(text: str, url: str) -> str:
    """The same feed, without document type, comments and labels, and with CDATA sections escaped.

    Raises:
        ContractError: reading it would take much more time or memory than its size.
    """
    text = _LABELS.sub(r"\1label", _escaped_sections(_without_document_type(text, url)))
    _must_be_harmless(text, url)
    return text


def after_prolog(text: str) -> int:
    """Where spaces, comments and instructions at the start are over."""
    at = 0
    while True:
        start = _NO_SPACE.search(text, at)
        at = start.start() if start else len(text)
        end = {"<!--": "-->", "<?": "?>"}.get("<!--" if text.startswith("<!--", at) else text[at : at + 2])
        found = text.find(end, at) if end else -1
        if end is None or found < 0:
            return at
        at = found + len(end)


def _without_document_type(text: str, url: str) -> str:
    """The text without its DOCTYPE; entities that stand for a few characters are declared again.

    Raises:
        ContractError: it declares an entity made of entities, or a long one: repeated, they would fill the memory.
    """
    at = after_prolog(text)
    safe: list[str] = []
    if text[at : at + 9].upper() == "<!DOCTYPE":
        end = text.find(">", at)
        bracket = text.find("[", at, end) if end >= 0 else -1
        if bracket >= 0:
            closing = _SUBSET_END.search(text, bracket)
            subset = text[bracket + 1 : closing.start() if closing else len(text)]
            safe = _safe_entities(subset, url)
            end = closing.end() - 1 if closing else len(text)
        text = text[:at] + text[end + 1 if end >= 0 else len(text) :]
    first_tag = re.search(r"<\w", text)
    head = text[: first_tag.start()] if first_tag else ""
    if _ENTITY_START.search(head):
        raise ContractError(f"The feed at {url} declares entities in a place where no feed does. It is not read.")
    return (f"<!DOCTYPE feed [\n{chr(10).join(safe)}\n]>\n" if safe else "") + text


def _safe_entities(subset: str, url: str) -> list[str]:
    safe = []
    found = list(_ENTITY.finditer(subset))
    for _, name, external, *values in (match.groups() for match in found):
        value = "".join(filter(None, values))
        nested = "&" in _CHARACTER.sub("", value) or "%" in value or "<" in value
        if external:
            continue  # never fetched
        if nested or len(value) > ENTITY_LIMIT:
            raise ContractError(
                f"The feed at {url} declares the entity “{name}”, which grows when read. It is not read."
            )
        safe.append(f'<!ENTITY {name} "{value}">')
    if len(_ENTITY_START.findall(subset)) > len(found):
        raise ContractError(f"The feed at {url} declares entities that cannot be understood. It is not read.")
    return safe


def _escaped_sections(text: str) -> str:
    """The same text without comments, and with the content of CDATA sections escaped: every < is a tag now."""
    parts = []
    at = 0
    while (found := _SECTION.search(text, at)) is not None:
        parts.append(text[at : found.start()])
        comment = found[0] == "<!--"
        end = text.find("-->" if comment else "]]>", found.end())
        if end < 0:  # never closed: nothing after it is one either
            parts.append(html.escape(found[0], quote=False))
            at = found.end()
            parts.append(_SECTION.sub(lambda start: html.escape(start[0], quote=False), text[at:]))
            return "".join(parts)
        if not comment:
            parts.append(html.escape(text[found.end() : end], quote=False))
        at = end + 3
    return "".join([*parts, text[at:]])


def _must_be_harmless(text: str, url: str) -> None:
    """Raises ContractError where reading it would take much more time or memory than its size."""
    bases: list[bool] = []  # of each open element: does it change the base address?
    for number, found in enumerate(_TAG.finditer(text), start=1):
        closing, name, rest = found.groups()
        whole = _WHOLE_TAG.match(found[0])
        if closing:
            del bases[-1:]
        elif not (whole and whole[0].endswith("/>")) and name.lower() not in _VOID:
            bases.append(_BASE.search(rest) is not None)
        too_much = (
            number > TAG_LIMIT
            or len(bases) > DEPTH_LIMIT
            or (bases and bases[-1] and bases.count(True) > BASE_DEPTH_LIMIT)
            or (len(rest) > SHORT_LIMIT and name.lower() in _SHORT)
            or (whole and whole[0].count("=") > ATTRIBUTE_LIMIT)
        )
        if too_much:
            raise ContractError(f"The feed at {url} has more, deeper or longer elements than any feed. It is not read.")
    if len(set(_NAMESPACE.findall(text))) > NAMESPACE_LIMIT:
        raise ContractError(f"The feed at {url} has more namespaces than any feed. It is not read.")
