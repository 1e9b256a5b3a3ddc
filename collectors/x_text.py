"""X's texts and ids: what a text says once its short links are written out, how long X counts it, and when an id was made.

Pure. X escapes &, < and > in texts, wraps every link in t.co, and puts the names of those who are answered before an
answer; `spoken` undoes what differs between what we send and what X gives back.
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from collectors.wire import dict_of, list_of, text_of

ID = re.compile(r"[0-9]{1,19}", re.ASCII)
_EPOCH = 1_288_834_974_657  # milliseconds; ids made since 4 November 2010 hold their moment (docs.x.com, “X IDs”)
_FIRST_DATED_ID = 29_700_859_248
_ESCAPED = re.compile(r"&(amp|lt|gt);")
_PLAIN = {"amp": "&", "lt": "<", "gt": ">"}
_SHORT_LINK = re.compile(r"https?://t\.co/\w+")
_ENDINGS = "com|fr|net|org|eu|io|shop|store|info|be|ch|lu|ca|co|uk|de|es|it|nl|pt|app|dev"  # of links without http://
_LINK = re.compile(rf"(?:https?://|www\.)\S+|(?<![\w@.-])(?:[\w-]+\.)+(?:{_ENDINGS})\b(?:/\S*)?", re.IGNORECASE)
_STATUS = re.compile(
    r"https?://(?:mobile\.|www\.)?(?:twitter|x)\.com/(\w+)/status/(\d+)(/(?:photo|video)/\d+)?/?(?:\?|$)"
)
_NAMES_BEFORE = re.compile(r"(?:@\w{1,15}\s+)+")
_LINK_LENGTH = 23
_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))  # twitter-text, configuration version 3: count one half
_FLAGS = (0x1F1E6, 0x1F1FF)  # two letters make one flag, which counts 2
_EMOJI_JOINERS = frozenset({0x200D, 0xFE0F, 0x20E3, *range(0x1F3FB, 0x1F400)})


def moment_of_id(native_id: str) -> datetime | None:
    """When an id was made; None for ids older than dated ids."""
    if not ID.fullmatch(native_id) or int(native_id) < _FIRST_DATED_ID:
        return None
    try:
        return datetime.fromtimestamp(((int(native_id) >> 22) + _EPOCH) / 1000, tz=UTC)
    except (OverflowError, OSError, ValueError):
        return None


def id_before(moment: datetime) -> str:
    """The largest id that was surely made before this moment; to be used as since_id or until_id."""
    since_epoch = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1) - _EPOCH
    return str(max((since_epoch << 22) - 1, 1))


def plain_text(text: str, entities: Any, own_links: Iterable[str] = ()) -> str:
    """The text as it was written: unescaped, short links written out.

    Args:
        entities: of the post; lists of links in `urls`.
        own_links: ids of posts whose link is left out where anything else is said: the post itself (its pictures) and the
            one that it quotes.
    """
    said = _ESCAPED.sub(lambda match: _PLAIN[match[1]], text) if "&" in text else text
    links = {text_of(one.get("url")): one for one in map(dict_of, list_of(dict_of(entities).get("urls")))}
    if not links:
        return said
    hidden = frozenset(own_links)

    def written_out(match: re.Match[str], *, short: bool) -> str:
        entity = links.get(match[0])
        if entity is None:
            return match[0]
        target = text_of(entity.get("expanded_url"))
        if not target.startswith(("https://", "http://")):
            return match[0]
        status = _STATUS.match(target)
        if short and (entity.get("media_key") or (status and status[2] in hidden)):
            return ""
        return target

    without = _SHORT_LINK.sub(lambda match: written_out(match, short=True), said)
    return without.rstrip() if without.strip() else _SHORT_LINK.sub(lambda match: written_out(match, short=False), said)


def next_page(body: Any, token: str | None) -> str | None:
    """X's mark of the next page; None where this was the last one, or where X leads in a circle."""
    found = text_of(dict_of(dict_of(body).get("meta")).get("next_token"))
    return found if found and found != token else None


def quoted_handle(entities: Any, native_id: str) -> str:
    """The handle in the link to a quoted post, which says whose it is without reading it."""
    for one in map(dict_of, list_of(dict_of(entities).get("urls"))):
        status = _STATUS.match(text_of(one.get("expanded_url")))
        if status and status[2] == native_id and status[1] != "i":
            return status[1]
    return ""


def weight(text: str) -> int:
    """How many characters X counts. Source: docs.x.com, “Counting Characters”, and twitter-text's configuration 3."""
    composed = unicodedata.normalize("NFC", text)
    rest, links = _LINK.subn("", composed)
    total, joined = links * _LINK_LENGTH, False
    for char in rest:
        code = ord(char)
        if code in _EMOJI_JOINERS:
            joined = code == 0x200D
            continue
        if not joined:  # what follows a joiner belongs to the emoji before it
            light = _FLAGS[0] <= code <= _FLAGS[1] or any(first <= code <= last for first, last in _LIGHT)
            total += 1 if light else 2
        joined = False
    return total


def spoken(text: str) -> str:
    """What two versions of one answer have in common: the text without names before it, blanks and forms of links."""
    composed = " ".join(unicodedata.normalize("NFC", text).split())
    bare = _NAMES_BEFORE.sub("", composed, count=1) if _NAMES_BEFORE.match(composed) else composed
    return _LINK.sub(lambda match: _bare_link(match[0]), bare)


def _bare_link(link: str) -> str:
    address = re.sub(r"^https?://", "", link, flags=re.IGNORECASE)
    host, slash, path = address.partition("/")
    return (host.lower() + slash + path).rstrip("/")
