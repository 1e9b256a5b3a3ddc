"""Pictures and video of a message as links with their alternative text; nothing of them is fetched or shown by itself. Pure."""

from collections.abc import Mapping
from typing import Any

from dashboard.i18n import msg, t
from domain.mention import Mention

_WORDS: dict[str, str] = {
    "photo": msg("Photo"),
    "image": msg("Photo"),
    "video": msg("Vidéo"),
    "gifv": msg("Image animée"),
    "gif": msg("Image animée"),
    "animated_gif": msg("Image animée"),
    "audio": msg("Son"),
    "sticker": msg("Autocollant"),
}
_MOST, _ALT_LIMIT = 10, 120


def media_of(mention: Mention) -> list[dict[str, str]]:
    """`url` and `word` of each, as collectors keep them under `raw["media"]`; only addresses of the web."""
    found = mention.raw.get("media")
    shown = [_link(one) for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
    return [one for one in shown if one["url"].startswith(("https://", "http://"))][:_MOST]


def _link(one: Mapping[str, Any]) -> dict[str, str]:
    alt = " ".join(str(one.get("alt") or "").split())
    alt = alt if len(alt) <= _ALT_LIMIT else f"{alt[:_ALT_LIMIT]}…"
    word = t(_WORDS.get(str(one.get("kind")), msg("Pièce jointe")))
    return {"url": str(one.get("url") or ""), "word": t("{what} : {alt}", what=word, alt=alt) if alt else word}
