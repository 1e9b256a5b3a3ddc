"""Figures of the model as tables and curves, and the messages behind them. Pure; no Streamlit runs here.

Tokens of clicks are made here and understood here: `reviewed`, `cell:<right>:<said>`, `missed:<tag>`, `extra:<tag>`,
`bin:<step>`, `fix:<place>`; nothing else can be opened. Names and sentences are in `views_quality.py`.
"""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from dashboard.components.charts import Dot
from dashboard.components.heat import Cell
from dashboard.i18n import clock, exact, n_t, number, share, t
from dashboard.views import network_title
from dashboard.views_indicators import Piece
from dashboard.views_quality import QUESTIONS, between, messages_text, tag_title, tags_title
from domain.label import Field
from domain.quality import ENOUGH, HeadFigures, Pair, Tags, chance_calibration_error, step_of, wilson
from store.quality import Correction, Reviewed

NOTHING = "\u2013"
_LONGEST = 600  # characters of a message in the drawer; the desk has the rest


# -- tables ----------------------------------------------------------------------------------------------------------------


def parts_rows(parts: Sequence[tuple[str, HeadFigures]]) -> list[list[Piece]]:
    """One line a part: name, right answers, balance, messages; too few messages have no share."""
    return [
        [Piece(name), _of(figures, "accuracy"), _of(figures, "macro_f1"), _count(figures)] for name, figures in parts
    ]


def _of(figures: HeadFigures, key: str) -> Piece:
    n = figures.get("n", 0)
    if n < ENOUGH:
        return Piece(t("trop peu"), tone="quiet")
    value = figures.get("accuracy") if key == "accuracy" else figures.get("macro_f1")
    if value is None:
        return Piece(NOTHING, tone="quiet")
    if key == "accuracy":
        low, high = wilson(value, n)
        return Piece(t("{value} ({low}–{high})", value=share(value), low=number(low * 100), high=number(high * 100)))
    interval = figures.get("interval")
    if interval is None:
        return Piece(number(value * 100))
    words = {"low": number(100 * interval[0]), "high": number(100 * interval[1])}
    return Piece(t("{value} ({low}–{high})", value=number(value * 100), **words))


def _count(figures: HeadFigures) -> Piece:
    return Piece(number(figures.get("n", 0)))


def tag_rows(field: Field, figures: HeadFigures, *, opens: bool) -> list[list[Piece]]:
    """One line a tag: how many of its messages were found, how often it was right when given; the most frequent first."""
    counts = figures.get("tags") or _tags_of_confusion(figures)
    if counts:
        ranked = sorted(counts.items(), key=lambda row: (-row[1][2], -row[1][1], row[0]))
        return [_tag_row(field, tag, hits, said, right, opens=opens) for tag, (hits, said, right) in ranked]
    labels, f1, support = figures.get("labels", []), figures.get("f1", []), figures.get("support", [])
    if not f1 or not support:
        return []
    known = sorted(zip(labels, f1, support, strict=True), key=lambda row: (-row[2], row[0]))
    return [
        [Piece(tag_title(field, tag)), Piece(number(100 * score)), Piece(NOTHING, tone="quiet"), Piece(number(count))]
        for tag, score, count in known
        if count
    ]


def _tags_of_confusion(figures: HeadFigures) -> dict[str, list[int]]:
    labels, table = figures.get("labels", []), figures.get("confusion", [])
    found = {
        tag: [table[place][place], sum(row[place] for row in table), sum(table[place])]
        for place, tag in enumerate(labels[: len(table)])
    }
    return {tag: row for tag, row in found.items() if row[1] or row[2]}


def _tag_row(field: Field, tag: str, hits: int, said: int, right: int, *, opens: bool) -> list[Piece]:
    f1 = Piece(number(200 * hits / (said + right))) if right else Piece(NOTHING, tone="quiet")
    return [
        Piece(tag_title(field, tag)),
        f1,
        _of_all(hits, right, f"missed:{tag}" if opens else ""),
        _of_all(hits, said, f"extra:{tag}" if opens else ""),
    ]


def _of_all(hits: int, total: int, token: str) -> Piece:
    # Opens what is missing to the whole; nothing where nothing is.
    if not total:
        return Piece(NOTHING, tone="quiet")
    return Piece(t("{hits} sur {n}", hits=number(hits), n=number(total)), token if hits < total else "")


def correction_rows(rows: Sequence[Correction], most: int = 8) -> list[list[Piece]]:
    """The most frequent corrections of the desk: question, what the model said, what people say, how often."""
    found = []
    for place, row in enumerate(wrong(rows)[:most]):
        names = {"was": tags_title(row.field, row.was), "right": tags_title(row.field, row.value)}
        text = t("{question} : {was} → {right}", question=t(QUESTIONS[row.field].title), **names)
        found.append([Piece(text), Piece(number(row.count), f"fix:{place}")])
    return found


def wrong(rows: Sequence[Correction]) -> list[Correction]:
    """Corrections, without the confirmations."""
    return [row for row in rows if set(row.was) != set(row.value)]


# -- confusion -------------------------------------------------------------------------------------------------------------


def heat_rows(field: Field, figures: HeadFigures, *, opens: bool) -> tuple[list[str], list[tuple[str, list[Cell]]]]:
    """(columns, rows) of the confusion; tags that never occur are left out."""
    labels, table = figures.get("labels", []), figures.get("confusion", [])
    there = [p for p in range(len(table)) if sum(table[p]) or any(row[p] for row in table)]
    rows = []
    for right in there:
        total = sum(table[right])
        cells = [_cell(field, labels[right], labels[said], table[right][said], total, opens) for said in there]
        rows.append((f"{tag_title(field, labels[right])} ({number(total)})", cells))
    return [tag_title(field, labels[said]) for said in there], rows


def _cell(field: Field, right: str, said: str, count: int, total: int, opens: bool) -> Cell:
    if not count:
        return Cell("")
    names = {"right": tag_title(field, right), "said": tag_title(field, said), "n": number(count), "all": number(total)}
    words = t("{n} fois sur {all} : juste « {right} », le modèle a dit « {said} »", **names)
    return Cell(number(count), count / total, right == said, words, f"cell:{right}:{said}" if opens else "")


def confusion_title(field: Field, figures: HeadFigures) -> str:
    """The message of the confusion: the most frequent mistake."""
    labels, table = figures.get("labels", []), figures.get("confusion", [])
    misses = [
        (count, right, said)
        for right, row in enumerate(table)
        for said, count in enumerate(row)
        if count and said != right
    ]
    if not misses:
        return t("Aucune confusion parmi ces messages")
    count, right, said = max(misses, key=lambda miss: (miss[0], -miss[1], -miss[2]))
    names = {"right": tag_title(field, labels[right]), "said": tag_title(field, labels[said])}
    counts = {"n": number(count), "all": number(sum(table[right]))}
    return t("Le plus souvent, « {right} » est pris pour « {said} » : {n} fois sur {all}", **names, **counts)


# -- probabilities, abstention -----------------------------------------------------------------------------------------------


def dots(figures: HeadFigures) -> list[Dot]:
    """The groups of the calibration curve."""
    found = []
    for stated, hit, n in figures.get("bins", []):
        low, high = wilson(hit, n)
        words = {
            "stated": share(stated),
            "hit": share(hit),
            "sample": messages_text(int(n)),
            "between": between(low, high),
        }
        text = t("annoncé {stated}, juste {hit} ({between}, {sample})", **words)
        found.append(Dot(stated, hit, low, high, int(n), text))
    return found


def dot_tokens(figures: HeadFigures) -> list[str]:
    """What a click on each group opens: its step of probability."""
    return [f"bin:{step_of(stated)}" for stated, _, _ in figures.get("bins", [])]


def calibration_title(figures: HeadFigures) -> str:
    """The message of the curve: how far probabilities are from what happens, and what chance alone would give."""
    error, bins = figures.get("calibration_error"), figures.get("bins", [])
    if error is None:
        return t("Probabilités annoncées et réponses justes")
    points, chance = round(100 * error), chance_calibration_error(bins)
    text = n_t(
        "Les probabilités sont justes à {n} point près", "Les probabilités sont justes à {n} points près", points
    )
    if not bins:
        return text
    return text + " " + t("(le hasard seul en donnerait {n})", n=number(100 * chance))


def abstention_title(figures: HeadFigures) -> str:
    """What leaving uncertain answers to people wins."""
    found = figures.get("abstention")
    if found is None:
        return t("Ce que gagne le modèle à s'abstenir")
    gain = round(100 * (found["accuracy_kept"] - found["accuracy"]))
    if gain <= 0:
        return t(
            "S'abstenir sur {share} des messages ne change pas la part de bonnes réponses", share=share(found["share"])
        )
    words = {"share": share(found["share"]), "before": share(found["accuracy"]), "after": share(found["accuracy_kept"])}
    return t(
        "En laissant {share} des messages à une personne, le reste est juste à {after} au lieu de {before}", **words
    )


# -- rows ------------------------------------------------------------------------------------------------------------------


def pairs_behind(token: str, pairs: Sequence[Pair]) -> list[Pair] | None:
    """The pairs that the clicked number counted; None for a token that we did not make."""
    kind, _, rest = token.partition(":")
    right, _, said = rest.partition(":")
    if kind == "reviewed":
        return list(pairs)
    if kind == "cell":
        return [pair for pair in pairs if pair.right == (right,) and pair.said == (said,)]
    if kind == "missed":
        return [pair for pair in pairs if rest in pair.right and rest not in pair.said]
    if kind == "extra":
        return [pair for pair in pairs if rest in pair.said and rest not in pair.right]
    if kind == "bin":
        return [pair for pair in pairs if pair.p is not None and str(step_of(pair.p)) == rest]
    return None


def opening_title(field: Field, token: str) -> str:
    """What the drawer is called."""
    kind, _, rest = token.partition(":")
    right, _, said = rest.partition(":")
    if kind == "cell":
        names = {"right": tag_title(field, right), "said": tag_title(field, said)}
        return t("Juste « {right} », dit « {said} »", **names)
    if kind == "missed":
        return t("« {tag} » manqué", tag=tag_title(field, rest))
    if kind == "extra":
        return t("« {tag} » donné à tort", tag=tag_title(field, rest))
    if kind == "bin" and rest.isdigit():
        low, high = int(rest) / 10, (int(rest) + 1) / 10
        return t("Annoncé {between}", between=between(low, high))
    return t("Corrections") if kind == "fix" else t("Messages relus")


def row(found: Reviewed, worth: str, now: datetime, zone: ZoneInfo) -> dict[str, str]:
    """One message of the drawer."""
    return {
        "case_id": found.case_id or "",
        "who": found.person_name or t("Sans nom"),
        "where": network_title(found.network),
        "when": clock(found.at, now, zone),
        "exact": exact(found.at, zone),
        "text": found.text if len(found.text) <= _LONGEST else f"{found.text[:_LONGEST].rstrip()}…",
        "worth": worth,
        "tag": "",
        "tone": "",
    }


def said_and_right(field: Field, said: Tags, right: Tags) -> str:
    """`dit Plainte, juste Question`."""
    names = {"said": tags_title(field, said), "right": tags_title(field, right)}
    return t("juste : {right}", **names) if set(said) == set(right) else t("dit : {said}, juste : {right}", **names)
