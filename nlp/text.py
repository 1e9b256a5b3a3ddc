"""What a text is made of: normalised, masked, folded, cut into tokens, and in which language.

Pure functions on strings, no model and no dependency; every analyzer may start from here. What the words mean is in
the analyzers. To know one more language, add its column of everyday words to lexicons/languages.txt.
"""

import re
import unicodedata
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

SCAN_HEAD = 6_000  # characters read from the start of a very long text
SCAN_TAIL = 2_000  # and from its end: complaints state the matter first and the wish last
_LANGUAGE_TOKENS = 80  # enough to tell a language; more would only cost time

_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u115f\u1160\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]+")
_VARIATION = re.compile("[\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U000e0000-\U000e01ef]+")
_COMBINING = re.compile("[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]+")
_BLANKS = re.compile(r"[^\S\n]+")
_ELONGATION = re.compile(r"\bwww\b|([^\W\d_])\1{2,}", re.IGNORECASE)
_DOUBLED = re.compile(r"(.)\1")
_REPEATED_MARK = re.compile(r"([^\w\s])\1{3,}")
# Every repetition is bounded: a stranger's text must not make these slow.
_URL = re.compile(
    r"(?:https?://|\bwww\.)\S+"
    r"|(?<![\w.-])(?:[a-z0-9-]{1,63}\.){1,5}(?:com|fr|net|org|be|ch|ca|eu|io|co|uk|shop|example)\b(?:/\S*)?",
    re.IGNORECASE,
)
_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{1,63}")
_HANDLE = re.compile(r"(?<![\w@])@\w[\w.]{0,60}(?<!\.)")

# Letters of other alphabets that look like Latin ones; used only inside words that also hold Latin letters.
_LOOKALIKES = str.maketrans(
    "АВЕКМНОРСТУХаеорсухіјѕԁɡһԛԝьΑΒΕΖΗΙΚΜΝΟΡΤΥΧαεινορτυχκ",
    "ABEKMHOPCTYXaeopcyxijsdghqwbABEZHIKMNOPTYXaeivoptuxk",
)
_FOREIGN_LOOKALIKE = re.compile("[\u0370-\u03ff\u0400-\u052f\u0261]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_WORD = re.compile(r"[^\W_]+")

_EMOJI = "[\u203c\u2049\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]"
_TOKEN = re.compile(
    r"(?P<face>(?:[:;=]'?-?[)(dp/|*\]\[o]|\bx+d+\b|<3|\^\^))(?![\w/])"
    r"|(?P<user>@\w+)"
    r"|(?P<number>\d+(?:[.,:]\d+)+|\d+)(?P<unit>[^\W\d_]+)?"
    r"|(?P<word>[^\W_]+)"
    r"|(?P<mark>[!?]+)"
    r"|(?P<stop>[.;\n…]+)"
    r"|(?P<comma>[,:()«»\"–—]+)"
    rf"|(?P<sign>[€£$%+=]|{_EMOJI})"
)
_FACES = {")": "🙂", "]": "🙂", "d": "😀", "p": "😛", "*": "😘", "(": "🙁", "[": "🙁", "/": "😕", "|": "😕", "o": "😮"}
_UNITS = {
    "j": "jours", "jr": "jours", "jrs": "jours", "d": "days", "h": "heures", "hr": "hours", "hrs": "hours",
    "mn": "minutes", "min": "minutes", "mins": "minutes", "sem": "semaines", "e": "€", "eur": "€", "k": "mille",
    "yr": "years", "yrs": "years", "wks": "weeks", "mths": "months",
}  # fmt: skip
_CONTRACTIONS = (("cannot", "can not"), ("can't", "can not"), ("won't", "will not"), ("shan't", "shall not"))
_NOT = re.compile(r"n't\b")
SENTENCE_ENDS = frozenset({".", "!", "?", "!!", "??"})


class Tokens(NamedTuple):
    """A text cut for matching.

    Attributes:
        words: folded words (lower case, no accent), emoji, marks; ``@user``, ``http``, ``@mail`` stand for what was
            masked; ``??`` and ``!!`` follow a repeated mark.
        shouted: folded words that were written in capitals in a text that is not all capitals.
    """

    words: list[str]
    shouted: frozenset[str]


def clip(text: str) -> str:
    """The head and the tail of a text that is too long to be read whole; unchanged otherwise."""
    if len(text) > SCAN_HEAD + SCAN_TAIL:
        text = _INVISIBLE.sub("", text)  # what nobody sees must not push out what was said
    if len(text) <= SCAN_HEAD + SCAN_TAIL:
        return text
    return f"{text[:SCAN_HEAD]}\n{text[-SCAN_TAIL:]}"


def normalise(text: str) -> str:
    """The text as a reader sees it: NFKC, nothing invisible, no disguised letter, no letter three times in a row.

    Case, accents, negations and emoji stay. Idempotent.
    """
    if text.isascii():
        plain = _CONTROL.sub(" ", text)
    else:
        plain = unicodedata.normalize("NFKC", _VARIATION.sub("", _INVISIBLE.sub("", text)))
        plain = _CONTROL.sub(" ", _COMBINING.sub("", plain)).replace("’", "'").replace("`", "'").replace("´", "'")
        if _FOREIGN_LOOKALIKE.search(plain):
            plain = _WORD.sub(_undisguise, plain)
    plain = _ELONGATION.sub(lambda run: (run[1] or "") * 2 or run[0], plain)
    return _BLANKS.sub(" ", _REPEATED_MARK.sub(r"\1\1\1", plain)).strip()


def _undisguise(match: re.Match[str]) -> str:
    word = match[0]
    return word.translate(_LOOKALIKES) if _LATIN.search(word) else word


def mask(text: str) -> str:
    """The text without what identifies or leads away: addresses become ``http``, mails ``@mail``, handles ``@user``."""
    if "@" in text:
        text = _HANDLE.sub("@user", _MAIL.sub(" @mail ", text).replace(" @mail ", "\0"))
        text = text.replace("\0", " @mail ")
    return _URL.sub("http", text) if "." in text else text


def fold(text: str) -> str:
    """Lower case without accents: the form in which words are compared."""
    text = text.lower()
    if text.isascii():
        return text
    text = text.replace("œ", "oe").replace("æ", "ae").replace("ß", "ss")
    return _COMBINING.sub("", unicodedata.normalize("NFKD", text))


def tokenise(text: str) -> Tokens:
    """Cut a normalised text into folded tokens; contractions of ``not`` become the word itself."""
    masked = mask(text)
    shouted = _shouted(masked)
    folded = fold(masked)
    for short, long in _CONTRACTIONS:
        folded = folded.replace(short, long)
    folded = _NOT.sub(" not", folded)
    words: list[str] = []
    for match in _TOKEN.finditer(folded):
        kind = match.lastgroup
        if kind in {"word", "user", "sign"}:
            words.append(match[0])
        elif kind == "mark":
            mark = "?" if "?" in match[0] else "!"
            words.append(mark)
            if len(match[0]) > 1:
                words.append(mark * 2)
        elif kind == "stop":
            words.append(".")
        elif kind == "comma":
            words.append(",")
        elif kind == "face":
            words.append(_face(match[0]))
        else:
            unit = match["unit"] or ""
            if unit in _UNITS:
                words += (match["number"], _UNITS[unit])
            else:
                words.append(match["number"] + unit)
    return Tokens(words, shouted)


def _shouted(text: str) -> frozenset[str]:
    capitals = [word for word in _WORD.findall(text) if len(word) > 2 and word.isupper()]
    if not capitals or 5 * sum(map(len, capitals)) > 4 * sum(map(str.isalpha, text)):
        return frozenset()
    return frozenset(map(fold, capitals))


def _face(face: str) -> str:
    if face == "<3":
        return "❤"
    if "'" in face and face[-1] in "([":
        return "😢"
    return "🙂" if face == "^^" else _FACES[face[-1]]


@lru_cache(maxsize=1)
def _everyday_words() -> dict[str, tuple[tuple[str, float], ...]]:
    """Word -> (language, weight): a word shared by two languages tells less, so they share its weight."""
    owners: dict[str, set[str]] = {}
    lang = ""
    source = resources.files("nlp").joinpath("lexicons/languages.txt").read_text(encoding="utf-8")
    for line in source.splitlines():
        if line.startswith("["):
            lang = line.strip("[] ")
        elif line and not line.startswith("#"):
            for word in fold(line).split():
                owners.setdefault(word, set()).add(lang)
    return {word: tuple((lang, 1 / len(langs)) for lang in sorted(langs)) for word, langs in owners.items()}


_ACCENTS = (
    (re.compile("[çœùêèâîëé]|à(?= )"), "fr", 0.7),
    (re.compile("[ñ¿¡áíóú]"), "es", 1.0),
    (re.compile("[ãõ]"), "pt", 1.5),
    (re.compile("[ßäöü]"), "de", 1.0),
    (re.compile("[òì]"), "it", 1.0),
    (re.compile(r"\b[cdjlmnst]'(?=[aeiouyhéèê])|\bqu'", re.IGNORECASE), "fr", 1.2),
    (re.compile(r"\b\w+(?:n't|'re|'ve|'ll|'m)\b|\bi'm\b|\w's\b", re.IGNORECASE), "en", 1.2),
)


def language(text: str, hint: str | None = None) -> str:
    """``fr``, ``en`` or ``und`` for a normalised text.

    Args:
        text: as `normalise` gives it.
        hint: what the source says; believed only where the words themselves tell nothing.
    """
    return language_of(text, tokenise(text).words, hint)


def language_of(text: str, words: list[str], hint: str | None = None) -> str:
    """Same as `language`, for who has cut the text already."""
    votes: dict[str, float] = {}
    everyday = _everyday_words()
    for word in words[:_LANGUAGE_TOKENS]:
        for lang, weight in everyday.get(word) or everyday.get(_DOUBLED.sub(r"\1", word), ()):
            votes[lang] = votes.get(lang, 0.0) + weight
    for pattern, lang, weight in _ACCENTS:
        found = len(pattern.findall(text[:600]))
        if found:
            votes[lang] = votes.get(lang, 0.0) + weight * min(found, 3)
    ranked = sorted(votes.items(), key=lambda row: (-row[1], row[0]))
    trusted = hint[:2].lower() if hint and hint[:2].lower() in {"fr", "en"} else None
    if not ranked or ranked[0][1] < 0.7 or _mostly_foreign(text):
        return trusted if trusted and any(word.isalpha() and word.isascii() for word in words) else "und"
    best, score = ranked[0]
    if len(ranked) > 1 and score - ranked[1][1] < 0.25 and trusted in {best, ranked[1][0]} and trusted:
        return trusted
    return best if best in {"fr", "en"} else "und"


def _mostly_foreign(text: str) -> bool:
    if text.isascii():
        return False
    letters = [char for char in text[:400] if char.isalpha()]
    return sum(char > "\u024f" for char in letters) * 2 > len(letters)
