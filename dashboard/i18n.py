"""Every visible word, in French and English: `t(...)`, and numbers, durations and moments as each language writes them.

French is the text in the code (the msgid); English comes from `locale/en/LC_MESSAGES/*.po`, all merged. Sentences of the
library rooms are English in the code: `told()` finds their French in `locale/fr/LC_MESSAGES/*.po`. To add a sentence, wrap
it in `t()` (or in `msg()` inside a table that is translated later) and add its English; a test lists what is missing.
"""

import re
from contextvars import ContextVar
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st
from babel.dates import format_date, format_datetime
from babel.messages.pofile import read_po
from babel.numbers import format_compact_decimal, format_currency, format_decimal, format_percent

LANGUAGES = ("fr", "en")
SESSION_KEY = "lang"

_LOCALE_DIR = Path(__file__).parent / "locale"
_LOCALES = {"fr": "fr_FR", "en": "en_GB"}  # en_GB: day before month and a 24-hour clock, as in the shop
_LANGUAGE: ContextVar[str] = ContextVar("language", default="")

Texts = dict[str, tuple[str, ...]]  # msgid -> (text,) or (singular, plural)


def set_language(lang: str) -> None:
    """Choose the language of this run; whatever is not French is English."""
    _LANGUAGE.set(lang if lang in LANGUAGES else "en")


def language() -> str:
    """`fr` or `en`: what this run chose, else what the session did (callbacks and fragments run before any page)."""
    return _LANGUAGE.get() or str(st.session_state.get(SESSION_KEY, "fr"))


@cache
def catalogue(lang: str) -> Texts:
    """All translations into a language, read once."""
    found: Texts = {}
    for path in sorted((_LOCALE_DIR / lang / "LC_MESSAGES").glob("*.po")):
        with path.open("rb") as handle:
            for message in read_po(handle, locale=lang):
                if not message.id or message.fuzzy:
                    continue
                ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
                strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
                if all(strings):
                    found[ids[0]] = tuple(str(string) for string in strings)
    return found


def msg(msgid: str) -> str:
    """Marks a French text of a table, to be given to `t()` later; the text itself."""
    return msgid


def t(msgid: str, **values: object) -> str:
    """The text in the language of this run, with `{name}` filled in from `values`."""
    text = msgid if language() == "fr" else catalogue("en").get(msgid, (msgid,))[0]
    return text.format(**values) if values else text


def n_t(singular: str, plural: str, n: int, **values: object) -> str:
    """The singular or the plural for `n`, with `{n}` written as a number; French says 0 in the singular."""
    if language() == "fr":
        text = singular if abs(n) < 2 else plural
    else:
        forms = catalogue("en").get(singular, (singular, plural))
        text = forms[0] if abs(n) == 1 else forms[-1]
    return text.format(n=number(n), **values)


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    # English sentences with `{name}` in them, as patterns that find what was filled in; longest first.
    rows = []
    for msgid, (french, *_) in catalogue("fr").items():
        parts = re.split(r"\{(\w+)\}", msgid)
        body = "".join(re.escape(p) if i % 2 == 0 else f"(?P<{p}>.+?)" for i, p in enumerate(parts))
        if len(parts) > 1:
            rows.append((len(msgid), re.compile(body + r"\Z", re.DOTALL), french))
    return tuple((pattern, french) for _, pattern, french in sorted(rows, key=lambda row: -row[0]))


def told(text: str) -> str:
    """A sentence of another room (an error, a permission's reason) in the language of this run; as it is where unknown."""
    if language() != "fr" or not text:
        return text
    known = catalogue("fr").get(text)
    if known:
        return known[0]
    for pattern, french in _patterns():
        match = pattern.match(text)
        if match:
            return french.format(**{name: told(value) for name, value in match.groupdict().items()})
    return text


# -- numbers ---------------------------------------------------------------------------------------------------------------


def _locale() -> str:
    return _LOCALES[language()]


def number(x: float, digits: int = 0) -> str:
    """`1 234,5` in French, `1,234.5` in English; always `digits` decimals."""
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    return format_decimal(x, format=pattern, locale=_locale())


def short_number(x: float) -> str:
    """`12,4 k` for what need not be exact."""
    return format_compact_decimal(x, locale=_locale(), fraction_digits=1 if abs(x) >= 1000 else 0)


def share(x: float, digits: int = 0) -> str:
    """A share 0..1 as `38 %` or `38%`."""
    pattern = "#,##0" + ("." + "0" * digits if digits else "") + ("\u202f%" if language() == "fr" else "%")
    return format_percent(x, format=pattern, locale=_locale())


def money(x: float, currency: str = "EUR") -> str:
    """An amount; without decimals where it has none."""
    whole = float(x).is_integer()
    return format_currency(
        x, currency, locale=_locale(), currency_digits=not whole, format=None if not whole else _whole_money()
    )


def _whole_money() -> str:
    return "#,##0\u00a0¤" if language() == "fr" else "¤#,##0"


# -- time ------------------------------------------------------------------------------------------------------------------


def minutes(x: float) -> str:
    """A duration given in minutes: `48 min`, `1 h 12`, `2 j 3 h`."""
    total = round(abs(x))
    if total < 60:
        return f"{total}\u00a0min"
    hours, rest = divmod(total, 60)
    if hours < 24:
        return f"{hours}\u00a0h\u00a0{rest:02d}" if rest else f"{hours}\u00a0h"
    days, hours = divmod(round(total / 60), 24)
    unit = "j" if language() == "fr" else "d"
    return f"{days}\u00a0{unit}\u00a0{hours}\u00a0h" if hours and days < 10 else f"{days}\u00a0{unit}"


def ago(moment: datetime, now: datetime) -> str:
    """How far a moment is: `il y a 12 min`, `dans 3 h`; one unit, rounded down."""
    span = now - moment
    if timedelta(seconds=-45) < span < timedelta(minutes=1):
        return t("à l'instant")
    amount = _one_unit(abs(span))
    return t("il y a {span}", span=amount) if span > timedelta() else t("dans {span}", span=amount)


def _one_unit(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    units = (
        (365 * 86400, t("an"), t("ans")),
        (30 * 86400, t("mois"), t("mois")),
        (7 * 86400, t("sem."), t("sem.")),
        (86400, t("j"), t("j")),
        (3600, "h", "h"),
        (60, "min", "min"),
    )
    for size, one, many in units:
        count = seconds // size
        if count and (size != 7 * 86400 or count >= 2):
            return f"{count}\u00a0{one if count == 1 else many}"
    return "1\u00a0min"


def exact(moment: datetime, zone: ZoneInfo) -> str:
    """`mardi 25 novembre 2026 à 10:42`, in the shop's time zone."""
    pattern = "EEEE d MMMM y 'à' HH:mm" if language() == "fr" else "EEEE d MMMM y 'at' HH:mm"
    return format_datetime(moment.astimezone(zone), pattern, locale=_locale())


def clock(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    """A moment as short as it can be: `10:42` today, `lun. 10:42` within a week, `12 mars` further away."""
    local, today = moment.astimezone(zone), now.astimezone(zone).date()
    if local.date() == today:
        return local.strftime("%H:%M")
    if abs((local.date() - today).days) < 7:
        return format_datetime(local, "EEE HH:mm", locale=_locale())
    return day(moment, zone, year=local.year != today.year)


def day(moment: datetime, zone: ZoneInfo, *, year: bool = True) -> str:
    """`25 nov. 2026` or `25 nov.`, the shop's day."""
    return format_date(moment.astimezone(zone).date(), "d MMM y" if year else "d MMM", locale=_locale())


def title_of(row: Any) -> str:
    """The title of a row of the domain's tables (department, intent, aspect) in the language of this run."""
    return str(row.title(language()))
