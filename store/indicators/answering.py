"""How people are answered: how soon, how often, in time, and what is still to do.

Cases are counted on the calendar day on which they were opened; merged ones are left out, for their target carries them.
Only deadlines run in working time: they were fixed when the case was opened.
"""

import sqlalchemy as sa

from domain.case import Status
from store import schema
from store.indicators.facts import Condition, Expression, Facts, Frame, Measure, Row, case_facts, in_progress
from store.indicators.values import Indicator

_C = schema.cases.c
ONE = sa.literal(1.0)


def _yes(condition: Condition) -> Expression:
    return sa.case((condition, 1.0), else_=0.0)


def _answerable() -> Condition:
    # Left out: cases without an answer all of whose messages the network lets nobody answer.
    m = schema.mentions.c
    open_door = (
        sa.select(m.id)
        .where(m.case_id == _C.id, m.outbound.is_(False), m.permission["allowed"].as_boolean().is_not(sa.false()))
        .limit(1)  # PostgreSQL then looks case by case, instead of through all mentions once
        .scalar_subquery()
    )
    return sa.or_(_C.first_reply_at.is_not(None), open_door.is_not(None))


def _first_replies(frame: Frame) -> Facts:
    answered = (_C.first_reply_at.is_not(None), _C.first_reply_at >= _C.opened_at)
    return case_facts(frame, answered, frame.minutes(_C.opened_at, _C.first_reply_at))


def _replies(frame: Frame) -> Facts:
    return case_facts(frame, (_answerable(),), _yes(_C.first_reply_at.is_not(None)))


def _targets(frame: Frame) -> Facts:
    # As `domain.case.met_first_reply_target`: undecided while the answer may still come in time.
    decided = sa.or_(_C.first_reply_at.is_not(None), _C.first_reply_due_at < frame.now)
    where = (_C.first_reply_due_at.is_not(None), decided, _answerable())
    return case_facts(frame, where, _yes(_C.first_reply_at <= _C.first_reply_due_at))


def _reopened(frame: Frame) -> Facts:
    ended = sa.or_(_C.resolved_at.is_not(None), _C.reopened_count > 0)
    return case_facts(frame, (ended,), _yes(_C.reopened_count > 0))


def _in_progress(frame: Frame) -> Facts:
    return case_facts(frame, in_progress(frame.end_at), ONE, None)


def _came(frame: Frame) -> Facts:
    return case_facts(frame, (_C.opened_at < frame.now,), ONE)


def _went(frame: Frame) -> Facts:
    return case_facts(frame, (_C.resolved_at < frame.now,), ONE, _C.resolved_at)


def _late(frame: Frame) -> Facts:
    # As `domain.case.is_late`.
    overdue = sa.or_(
        sa.and_(_C.first_reply_at.is_(None), _C.first_reply_due_at < frame.now), _C.resolution_due_at < frame.now
    )
    return case_facts(frame, (_C.status == Status.OPEN.value, overdue), ONE, None)


_ANSWERABLE_FR = (
    "Dossiers ouverts dans la période ; fusionnés exclus, ainsi que ceux restés sans réponse dont le réseau interdit de "
    "répondre."
)
_ANSWERABLE_EN = (
    "Cases opened in the period; merged ones are left out, and so are those without an answer that their network lets "
    "nobody answer."
)

ROWS: tuple[Row, ...] = (
    (
        Indicator(
            key="first_reply_median",
            title_fr="Première réponse (médiane)",
            title_en="First reply (median)",
            unit="minutes",
            how="median",
            formula_fr=(
                "Médiane de : première réponse publique − premier message. La moyenne est donnée à côté : une seule "
                "réponse très tardive la déplace, pas la médiane."
            ),
            formula_en=(
                "Median of: first public answer − first message. The mean stands beside it: one very late answer moves "
                "it, the median hardly."
            ),
            population_fr=(
                "Dossiers ouverts dans la période et déjà répondus ; sans réponse et fusionnés exclus (voir le taux de "
                "réponse). Minutes calendaires, nuits et jours fermés compris."
            ),
            population_en=(
                "Cases opened in the period and answered; unanswered and merged ones are left out (see the reply rate). "
                "Calendar minutes, nights and closed days included."
            ),
            owner="customer_service",
            better="down",
            source="Zendesk help, Calculating first reply time",
        ),
        Measure(_first_replies),
    ),
    (
        Indicator(
            key="reply_rate",
            title_fr="Taux de réponse",
            title_en="Reply rate",
            unit="share",
            how="mean",
            formula_fr="Dossiers répondus ÷ dossiers auxquels on peut répondre.",
            formula_en="Cases answered ÷ cases that can be answered.",
            population_fr=f"{_ANSWERABLE_FR} Les plus récents attendent peut-être encore. Jours calendaires.",
            population_en=f"{_ANSWERABLE_EN} The newest may still be waiting. Calendar days.",
            owner="customer_service",
            better="up",
        ),
        Measure(_replies),
    ),
    (
        Indicator(
            key="sla_share",
            title_fr="Réponses dans les délais",
            title_en="Answered in time",
            unit="share",
            how="mean",
            formula_fr="Dossiers dont la première réponse est arrivée avant l'échéance ÷ dossiers tranchés.",
            formula_en="Cases whose first answer came before its deadline ÷ cases that are decided.",
            population_fr=(
                f"{_ANSWERABLE_FR} Tranchés : répondus, ou échéance passée. Échéances en heures ouvrées du service."
            ),
            population_en=(
                f"{_ANSWERABLE_EN} Decided: answered, or past the deadline. Deadlines in the department's working time."
            ),
            owner="customer_service",
            better="up",
        ),
        Measure(_targets),
    ),
    (
        Indicator(
            key="open_cases",
            title_fr="Dossiers en cours",
            title_en="Cases in progress",
            unit="count",
            how="stock",
            formula_fr="Dossiers ouverts avant la fin de la période et non terminés à ce moment.",
            formula_en="Cases opened before the end of the period and not ended by then.",
            population_fr=(
                "À traiter, en attente du client ou mis de côté ; fusionnés exclus. Un dossier rouvert compte comme jamais "
                "terminé. Photo à la fin de la période, ou maintenant si elle court encore."
            ),
            population_en=(
                "To do, waiting for the customer or put aside; merged ones are left out. A reopened case counts as never "
                "ended. Taken at the end of the period, or now while it is under way."
            ),
            owner="customer_service",
            better="down",
            source="Redo help, Explanation of analytics: open tickets",
        ),
        Measure(_in_progress, flows=(_came, _went)),
    ),
    (
        Indicator(
            key="late_cases",
            title_fr="Dossiers en retard",
            title_en="Late cases",
            unit="count",
            how="stock",
            formula_fr="Dossiers à traiter dont l'échéance de première réponse ou de résolution est passée.",
            formula_en="Cases to do whose deadline for the first answer or for the end has passed.",
            population_fr=(
                "Maintenant, quelle que soit la période : l'état passé n'est pas gardé. En attente du client et mis de "
                "côté exclus. Échéances en heures ouvrées du service."
            ),
            population_en=(
                "Now, whatever the period: past states are not kept. Waiting for the customer and put aside are left out. "
                "Deadlines in the department's working time."
            ),
            owner="customer_service",
            better="down",
        ),
        Measure(_late, remembers=False),
    ),
    (
        Indicator(
            key="reopen_share",
            title_fr="Dossiers rouverts",
            title_en="Reopened cases",
            unit="share",
            how="mean",
            formula_fr="Dossiers rouverts au moins une fois ÷ dossiers terminés au moins une fois.",
            formula_en="Cases reopened at least once ÷ cases ended at least once.",
            population_fr=(
                "Dossiers ouverts dans la période ; fusionnés exclus. Un nouveau message rouvre pendant 7 jours, une "
                "personne à tout moment. Jours calendaires."
            ),
            population_en=(
                "Cases opened in the period; merged ones are left out. A new message reopens for 7 days, a person at any "
                "time. Calendar days."
            ),
            owner="customer_service",
            better="down",
            source="Zammad user documentation, Dashboard: reopening rate",
        ),
        Measure(_reopened),
    ),
)
