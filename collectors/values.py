"""What sources write about a mention ("4/5", "fr-FR", "Avis Google"), turned into the domain's values.

Pure, one function per kind of value; what cannot be read comes back as None or empty, never as a guess. The raw words
stay in `Mention.raw`. Dates are in `tables.dates`, markup in `markup`.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from urllib.parse import urlsplit

from domain.contracts import Watch

ID_LIMIT = 255  # characters; longer native ids are replaced by their hash

_NETWORKS = {
    "twitter": "x",
    "xtwitter": "x",
    "xextwitter": "x",
    "tweet": "x",
    "x": "x",
    "facebook": "facebook",
    "fb": "facebook",
    "instagram": "instagram",
    "insta": "instagram",
    "ig": "instagram",
    "google": "google",
    "googlereviews": "google",
    "avisgoogle": "google",
    "googlemybusiness": "google",
    "googlebusinessprofile": "google",
    "trustpilot": "trustpilot",
    "avisverifies": "avis_verifies",
    "linkedin": "linkedin",
    "youtube": "youtube",
    "tiktok": "tiktok",
    "mastodon": "mastodon",
    "bluesky": "bluesky",
    "reddit": "reddit",
    "mail": "mail",
    "email": "mail",
    "courriel": "mail",
    "blog": "blog",
    "reviews": "reviews",
    "avis": "reviews",
}
_LANGUAGES = {
    "francais": "fr",
    "french": "fr",
    "fre": "fr",
    "fra": "fr",
    "anglais": "en",
    "english": "en",
    "eng": "en",
    "allemand": "de",
    "german": "de",
    "deutsch": "de",
    "espagnol": "es",
    "spanish": "es",
    "italien": "it",
    "italian": "it",
    "portugais": "pt",
    "portuguese": "pt",
    "neerlandais": "nl",
    "dutch": "nl",
}
_LANGUAGE_TAG = re.compile(r"([a-z]{2})(?:[-_][a-z0-9]+)*")
_OUT_OF = re.compile(r"(\d+(?:[.,]\d+)?)\s*(?:/|sur|out of|of)\s*(\d+)", re.IGNORECASE)
_PLAIN_RATING = re.compile(r"(\d+(?:[.,]\d+)?)\s*(?:étoiles?|etoiles?|stars?|★|⭐)?\ufe0f?", re.IGNORECASE)
_COUNT = re.compile(r"\d{1,3}(?:[ \u00a0\u202f,]\d{3})+|\d+(?:\.0+)?")


@lru_cache(maxsize=4096)  # asked for each row, of the same few names
def plain_name(name: str) -> str:
    """A name without accents, case, spaces and signs: "Publié le" -> "publiele"."""
    folded = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in folded if letter.isalnum())


def network_key(value: str, *, known_only: bool = False) -> str:
    """Key of the channel that `value` names ("Twitter" -> "x"), or "" where it names none.

    Args:
        known_only: do not make a key of a name that is not in the table.
    """
    plain = plain_name(value)
    if plain in _NETWORKS or known_only:
        return _NETWORKS.get(plain, "")
    folded = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", folded).strip("_")[:40]


def language(value: str) -> str | None:
    """ISO 639-1 code of "fr-FR", "Français", "FR"; None where it cannot be told."""
    lowered = value.strip().lower()
    tag = _LANGUAGE_TAG.fullmatch(lowered)
    return tag[1] if tag else _LANGUAGES.get(plain_name(lowered))


def rating(value: Any) -> int | None:
    """Whole stars 1..5 of 4, "4,5", "4/5", "8/10", "★★★★☆"; halves go up; None where it is no rating."""
    text = str(value).strip()
    out_of = _OUT_OF.fullmatch(text)
    plain = _PLAIN_RATING.fullmatch(text)
    if out_of:
        stars = _number(out_of[1]) * 5 / max(int(out_of[2]), 1)
    elif plain:
        stars = _number(plain[1])
    elif text and set(text) <= set("★☆⭐\ufe0f "):
        stars = float(text.count("★") + text.count("⭐"))
    else:
        return None
    return int(stars + 0.5) if 1 <= stars <= 5 else None


def _number(digits: str) -> float:
    return float(digits.replace(",", "."))


def count(value: Any) -> int | None:
    """12 of 12, "12", "1 204", "1,204"; None where it is no count."""
    found = _COUNT.fullmatch(str(value).strip())
    return int(re.sub(r"\.0+$|\D", "", found[0])) if found and len(found[0]) <= 18 else None


def web_url(value: str) -> str:
    """The address where it is one of the web, else "": a link is shown to people, so no other scheme gets through."""
    address = value.strip()
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return address if parts.scheme in {"http", "https"} and parts.netloc else ""


def content_id(parts: Sequence[str]) -> str:
    """A native id made of what is said, for what comes without one; the same parts give the same id for ever."""
    joined = "\x1f".join(parts).encode("utf-8", "surrogatepass")
    return "h" + blake2b(joined, digest_size=12).hexdigest()


def short_id(native_id: str) -> str:
    """The id itself, or its hash where it is longer than any network's."""
    return native_id if len(native_id) <= ID_LIMIT else content_id([native_id])


def counted(number: int, one: str, many: str = "") -> str:
    """ "1 row", "1,204 rows"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def watches(watch: Watch) -> Callable[[str], bool] | None:
    """A test whether a text names one of the words or accounts watched, whole words, accents and case aside.

    None where nothing is watched in particular: then everything is heard.
    """
    words = [_folded(word.strip()) for word in (*watch.terms, *watch.accounts) if word.strip()]
    if not words:
        return None
    pattern = re.compile(r"(?<!\w)(?:" + "|".join(re.escape(word) for word in words) + r")(?!\w)")
    return lambda text: pattern.search(_folded(text)) is not None


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))
