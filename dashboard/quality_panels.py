"""Panels of the quality page: figures of one question, what the desk corrects, what comes in, who has spoken.

Each shows what `views_quality*.py` and `views_drift.py` made, and hands back what a click asked to open; the page opens it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from dashboard import reads_quality as reads
from dashboard.components import charts
from dashboard.components.heat import heat
from dashboard.components.ledger import ledger
from dashboard.components.panel import panel
from dashboard.components.text import plain
from dashboard.context import Context
from dashboard.i18n import msg, n_t, number, t
from dashboard.reads_quality import CORRECTION_DAYS, Drift, Slice
from dashboard.views_drift import drift_rows, drift_title, windows_note
from dashboard.views_indicators import Piece
from dashboard.views_quality import Measured, part_name
from dashboard.views_quality_tables import (
    abstention_title,
    calibration_title,
    confusion_title,
    correction_rows,
    dot_tokens,
    dots,
    heat_rows,
    parts_rows,
    tag_rows,
    wrong,
)
from domain.quality import ENOUGH, Pair, Report
from store.quality import Spoken

CUTS = {"lang": msg("Langue"), "network": msg("Réseau"), "month": msg("Mois"), "model": msg("Modèle")}


@dataclass(frozen=True, slots=True)
class Seen:
    """What the page speaks of: read once, at its head.

    Attributes:
        part: the part of the reviewed messages that was chosen, and `pairs` are in.
        report: what the maker of the model measured.
    """

    measured: Measured
    part: Slice
    report: Report
    pairs: Sequence[Pair]


def figures(context: Context, seen: Seen) -> list[str | None]:
    """All figures of one question; what clicks asked to open."""
    measured, told = seen.measured, seen.measured.figures
    if not measured.n:
        return [corrections(context)]
    left, right = st.columns(2, gap="medium")
    with left, panel("quality_parts"):
        _parts(context, seen)
    if not told.get("bins"):  # one answer of several, or none: no probabilities are kept, and often no confusion
        with right:
            tags = _tags(measured)
        confused = _confusion(measured)
        left, right = st.columns(2, gap="medium")
        with left:
            _abstention(measured)
        with right:
            return [tags, confused, corrections(context)]
    with right, panel("quality_calibration"):
        _calibration(measured)
    confused = _confusion(measured)
    left, right = st.columns(2, gap="medium")
    with left:
        tags = _tags(measured)
    with right:
        _abstention(measured)
        return [tags, confused, corrections(context)]


def _parts(context: Context, seen: Seen) -> None:
    measured, field = seen.measured, seen.measured.field
    st.markdown(t("**Où le modèle est bon, où il l'est moins**"))
    head = (t("Où"), t("Bonnes réponses"), t("Équilibre"), t("Messages"))
    if measured.here:
        by = st.segmented_control(
            t("Par"),
            ("lang", "network", "month"),
            format_func=lambda key: t(CUTS[key]),
            default="lang",
            required=True,
            key="quality_by",
            label_visibility="collapsed",
        )
        found = [(part_name(by, key), figures) for key, figures in reads.parts(context, field, seen.part, by or "lang")]
        ledger(head, parts_rows(found), caption=t("Qualité de chaque partie"), key="quality_parts_table")
    made = {
        lang: figures
        for key, figures in seen.report.get("gold", {}).items()
        if (lang := key.partition("/")[0]) and key.partition("/")[2] == field.value
    }
    if made:
        st.caption(t("À la fabrication du modèle, sur d'autres messages :"))
        ranked = sorted(made.items(), key=lambda pair: (pair[0] == "all", pair[0]))
        lines = [(t("ensemble") if lang == "all" else part_name("lang", lang), f) for lang, f in ranked]
        ledger(head, parts_rows(lines), caption=t("Qualité à la fabrication"), key="quality_made_table")
    st.caption(t("Sur 100, entre parenthèses l'intervalle à 95 %. Moins de {n} messages : trop peu.", n=number(ENOUGH)))


def _calibration(measured: Measured) -> None:
    if not measured.enough:
        st.markdown(t("**Probabilités annoncées et réponses justes**"))
        st.markdown(t("Trop peu de messages pour tracer une courbe."))
        return
    figure = charts.calibration(
        dots(measured.figures),
        stated=t("Probabilité annoncée"),
        seen=t("Réponses justes"),
        above=t("trop prudent"),
        below=t("trop sûr de lui"),
    )
    note = t("Sur la diagonale, la probabilité est tenue. Un point est d'autant plus gros qu'il a de messages.")
    opens = dot_tokens(measured.figures) if measured.here else ()
    charts.show(figure, calibration_title(measured.figures), key="quality_calibration_chart", note=note, opens=opens)


def _confusion(measured: Measured) -> str | None:
    if not measured.has_confusion:
        return None
    columns, lines = heat_rows(measured.field, measured.figures, opens=measured.here)
    with panel("quality_confusion"):
        st.markdown(f"**{plain(confusion_title(measured.field, measured.figures))}**")
        if measured.here:
            st.caption(t("Chaque case s'ouvre sur ses messages."))
        return heat(
            columns,
            lines,
            down=t("juste"),
            across=t("le modèle dit"),
            caption=t("Ce qui était juste, ce que le modèle a dit"),
            key="quality_heat",
        )


def _tags(measured: Measured) -> str | None:
    told = measured.figures
    head = (t("Réponse"), t("Note (F1)"), t("Trouvées"), t("Données à raison"))
    if "confusion" not in told and "tags" not in told:
        head = (t("Réponse"), t("Note (F1)"), "", t("Messages"))
    lines = tag_rows(measured.field, told, opens=measured.here)
    with panel("quality_tags"):
        st.markdown(t("**Réponse par réponse**"))
        if not told.get("bins"):
            st.caption(t("La probabilité d'une réponse n'est gardée que pour le sujet et le ton."))
        return ledger(head, lines, caption=t("Réponse par réponse"), key="quality_tags_table")


def _abstention(measured: Measured) -> None:
    found = measured.figures.get("abstention")
    with panel("quality_abstention"):
        st.markdown(f"**{plain(abstention_title(measured.figures))}**")
        if found is None or not measured.enough:
            st.markdown(t("Aucune donnée."))
            return
        bars = [
            charts.Bar(t("Tous les messages"), found["accuracy"], _percent(found["accuracy"])),
            charts.Bar(t("Quand le modèle se dit sûr"), found["accuracy_kept"], _percent(found["accuracy_kept"])),
        ]
        st.plotly_chart(
            charts.bars(bars, top=1.0),
            theme=None,
            config=charts.CONFIG,
            alt=abstention_title(measured.figures),
            key="quality_abstention_chart",
        )
        st.caption(t("Un message incertain porte la mention « incertain » et attend une personne dans sa file."))


def _percent(value: float) -> str:
    return t("{n} bonnes réponses sur 100", n=number(100 * value))


def corrections(context: Context) -> str | None:
    """What the desk corrects most; what a click asked to open."""
    found = reads.corrections(context)
    lines = correction_rows(found)
    with panel("quality_corrections"):
        st.markdown(t("**Ce que l'on corrige le plus**"))
        if not found:
            st.markdown(t("Aucune correction depuis {n} jours.", n=number(CORRECTION_DAYS)))
            return None
        fixed = sum(correction.count for correction in wrong(found))
        agreed = sum(correction.count for correction in found) - fixed
        counts = {"fixed": n_t("{n} correction", "{n} corrections", fixed), "days": number(CORRECTION_DAYS)}
        counts["agreed"] = n_t("{n} confirmation", "{n} confirmations", agreed)
        st.caption(
            t(
                "{fixed} et {agreed} en {days} jours, au comptoir et dans la pile des plus instructifs. On y voit "
                "surtout ce qui est faux : elles disent où le modèle se trompe, pas combien de fois. Elles n'entrent "
                "pas dans les chiffres plus haut, mais servent à apprendre.",
                **counts,
            )
        )
        if not lines:
            return None
        head = (t("Le modèle avait dit → la personne a dit"), t("Fois"))
        return ledger(head, lines, caption=t("Corrections les plus fréquentes"), key="quality_corrections_table")


def drift(found: Drift) -> None:
    """What comes in, before and now."""
    with panel("quality_drift"):
        st.markdown(f"**{plain(drift_title(found.shifts))}**")
        head = (t("Ce qui arrive"), t("Avant → maintenant"), t("Écart"), t("Verdict"))
        ledger(head, drift_rows(found.shifts), caption=t("Ce qui arrive a-t-il changé ?"), key="quality_drift_table")
        st.caption(plain(windows_note(found.reference, found.recent)))


def models(spoken: Sequence[Spoken]) -> None:
    """Who has spoken here, and who speaks now."""
    if not spoken:
        return
    with panel("quality_models"):
        st.markdown(t("**Les modèles qui ont parlé ici**"))
        lines = [[Piece(_who(found)), Piece(number(found.analysis_count))] for found in spoken]
        head = (t("Modèle"), t("Messages analysés"))
        ledger(head, lines, caption=t("Modèles"), key="quality_models_table")
        st.caption(
            t(
                "Chaque réponse d'une personne est comparée à ce que le modèle disait avant qu'elle la donne : "
                "il ne peut pas l'avoir apprise."
            )
        )


def _who(found: Spoken) -> str:
    name = t("{model} · appris sur {base}", model=found.model, base=found.base) if found.base else found.model
    return t("{model} · en service", model=name) if found.in_use else name
