"""Words against trade: cases for 1,000 orders or units, late orders, carts, revenue at risk.

Orders, carts and deliveries are the customer events that the shop told of; where it told of some customers only, rates
are too high, and the sample beside the number says so. Events have no network and no department: those filters leave
them alone. A store filter keeps its own orders, and nothing of the web shop.
"""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from domain.person import EventKind
from store import schema
from store.indicators.facts import Condition, Expression, Facts, Frame, Measure, Row, case_facts, chosen, in_progress
from store.indicators.values import Dimension, Indicator

ONE = sa.literal(1.0)
COMPLAINTS = (
    "complaint_service",
    "order_delivery_issue",
    "product_defect",
    "refund_return",
    "billing_account_issue",
    "churn_threat",
)
REVENUE_SPAN = timedelta(days=365)
CART_PATIENCE = timedelta(hours=1)  # a younger cart may still be on its way to the till
_WEB = "web"
_UNDONE = (
    "cancelled",
    "refunded",
    "returned",
)  # no revenue; and where nothing had arrived, nothing can be late any more


def _text(events: Any, key: str) -> Expression:
    found: Expression = events.data[key].as_string()
    return found


def _day(events: Any, name: str) -> Expression:
    # `promised_on` is a day; a system that knows the hour says `promised_at`.
    return sa.func.substr(sa.func.coalesce(_text(events, f"{name}_on"), _text(events, f"{name}_at")), 1, 10)


def _event_facts(frame: Frame, where: tuple[Condition, ...], value: Expression, source: Any = None) -> Facts:
    e = schema.events.c
    columns: dict[str, Expression] = {
        "kind": sa.literal("event"),
        "id": e.kind + sa.literal(":") + e.ref,
        "case_id": sa.null(),
        "at": e.at,
        "network": sa.literal(""),
        "person_id": e.person_id,
        "account_id": sa.null(),
        "text": sa.null(),
        "data": e.data,
        "store": sa.func.nullif(_text(e, "channel"), _WEB),  # the web shop is no store
        "carrier": _text(e, "carrier"),
    }
    period = (e.at >= frame.since_at, e.at < frame.until_at)
    return Facts(schema.events if source is None else source, (*period, *where), value, frame.local_day(e.at), columns)


def _holds(frame: Frame, events: Any) -> tuple[Condition, ...]:
    # Orders and carts with one of the products that are looked at.
    if not frame.scope.products:
        return ()
    item = frame.each(events.data["products"])
    return (sa.select(item.c.value).where(item.c.value.in_(frame.scope.products)).exists(),)


def _orders(frame: Frame) -> Facts:
    e = schema.events.c
    stores = chosen([(_text(e, "channel"), frame.scope.stores)])
    where = (e.kind == EventKind.ORDER.value, _text(e, "status").is_distinct_from("cancelled"))
    return _event_facts(frame, (*where, *stores, *_holds(frame, e)), ONE)


def _units(frame: Frame) -> Facts:
    e = schema.events
    item = frame.each(e.c.data["products"])
    filters = chosen([(_text(e.c, "channel"), frame.scope.stores), (item.c.value, frame.scope.products)])
    sold = (e.c.kind == EventKind.ORDER.value, _text(e.c, "status").is_distinct_from("cancelled"))
    where = (*sold, item.c.value.is_not(None), *filters)
    facts = _event_facts(frame, where, ONE, e.join(item, sa.true()))
    return Facts(facts.source, facts.where, facts.value, facts.day, {**facts.columns, "product": item.c.value})


def _deliveries(frame: Frame) -> tuple[Condition, ...]:
    e = schema.events.c
    where: tuple[Condition, ...] = (e.kind == EventKind.DELIVERY.value,)
    if frame.scope.stores:
        where = (*where, sa.false())
    if frame.scope.products:
        order = schema.events.alias("ordered")
        behind = (order.c.kind == EventKind.ORDER.value, order.c.ref == _text(e, "order"))
        where = (*where, sa.exists().where(*behind, *_holds(frame, order.c)))
    return where


def _parcels(frame: Frame) -> Facts:
    return _event_facts(frame, _deliveries(frame), ONE)


def _late_orders(frame: Frame) -> Facts:
    e = schema.events.c
    promised, arrived, today = _day(e, "promised"), _day(e, "delivered"), frame.today.isoformat()
    ended = _text(e, "status").in_((*_UNDONE, "delivered"))
    missing = sa.and_(arrived.is_(None), promised < today, sa.func.coalesce(ended, sa.false()).is_(sa.false()))
    where = (promised.is_not(None), sa.or_(arrived.is_not(None), missing))
    return _event_facts(frame, (*_deliveries(frame), *where), sa.case((arrived <= promised, 0.0), else_=1.0))


def _carts(frame: Frame) -> Facts:
    e = schema.events.c
    left = sa.and_(e.kind == EventKind.CART.value, _text(e, "status") == "open", e.at < frame.now - CART_PATIENCE)
    bought = sa.and_(e.kind == EventKind.ORDER.value, _text(e, "channel") == _WEB)
    kinds = e.kind.in_((EventKind.CART.value, EventKind.ORDER.value))
    where: tuple[Condition, ...] = (kinds, sa.or_(left, bought), *_holds(frame, e))
    if frame.scope.stores:
        where = (*where, sa.false())
    return _event_facts(frame, where, sa.case((e.kind == EventKind.CART.value, 1.0), else_=0.0))


def _defects(frame: Frame) -> Facts:
    return case_facts(frame, (schema.cases.c.intent == "product_defect",), ONE)


def _delivery_cases(frame: Frame) -> Facts:
    return case_facts(frame, (schema.cases.c.intent == "order_delivery_issue",), ONE)


def _delivery_cases_by_carrier(frame: Frame) -> Facts:
    # The carrier of the order that a message of the case names; never guessed from the person's other orders.
    c, m = schema.cases, schema.mentions
    order, parcel = schema.events.alias("ordered"), schema.events.alias("parcel")
    named = (
        sa.select(m.c.case_id, _text(parcel.c, "carrier").label("carrier"))
        .join(c, c.c.id == m.c.case_id)
        .join(order, sa.and_(order.c.kind == EventKind.ORDER.value, order.c.ref == m.c.order_ref))
        .join(parcel, parcel.c.person_id == order.c.person_id)
        .where(
            # `coalesce`: from the order to its person's few parcels; the index by kind would lead through all parcels.
            sa.func.coalesce(parcel.c.kind, "") == EventKind.DELIVERY.value,
            _text(parcel.c, "order") == order.c.ref,
            c.c.intent == "order_delivery_issue",
            c.c.opened_at >= frame.since_at,
            c.c.opened_at < frame.until_at,
        )
        .distinct()
        .subquery("named")
    )
    facts = case_facts(
        frame, (c.c.intent == "order_delivery_issue",), ONE, source=c.join(named, named.c.case_id == c.c.id)
    )
    return Facts(facts.source, facts.where, facts.value, facts.day, {**facts.columns, "carrier": named.c.carrier})


def _against_orders(frame: Frame, by: Dimension | None) -> Facts:
    return _parcels(frame) if by == "carrier" else _orders(frame)


def _at_risk(frame: Frame) -> Facts:
    # One row a person: the newest open complaint, worth what she or he bought in the twelve months before.
    c, p, e, end = schema.cases, schema.persons, schema.events, frame.end_at
    complaints = case_facts(
        frame,
        (*in_progress(end), c.c.intent.in_(COMPLAINTS), p.c.customer_ref.is_not(None)),
        ONE,
        None,
        c.join(p, p.c.id == c.c.person_id),
    )
    # `coalesce`: ranked as they are found; an index in the order of persons would lead through all cases.
    person = sa.func.coalesce(c.c.person_id, "")
    rank = sa.func.row_number().over(partition_by=person, order_by=(c.c.opened_at.desc(), c.c.id))
    wanted = ("id", "at", "network", "person_id", "store", "product", "intent")
    columns = (complaints.columns[name].label(name) for name in wanted)
    ranked = complaints.select(*columns, rank.label("rank")).subquery("at_risk")
    r = ranked.c
    bought = (
        sa.select(sa.func.coalesce(sa.func.sum(e.c.amount), 0.0))
        .where(
            e.c.person_id == r.person_id,
            e.c.kind == EventKind.ORDER.value,
            e.c.at >= end - REVENUE_SPAN,
            e.c.at < end,
            sa.func.coalesce(_text(e.c, "status"), "").not_in(_UNDONE),
        )
        .scalar_subquery()
    )
    shown: dict[str, Expression] = {name: r[name] for name in wanted}
    shown |= {"kind": sa.literal("case"), "case_id": r.id, "account_id": sa.null(), "text": sa.null()}
    return Facts(ranked, (r.rank == 1,), bought, None, shown)


ROWS: tuple[Row, ...] = (
    (
        Indicator(
            key="defect_rate",
            title_fr="Défauts pour 1 000 ventes",
            title_en="Defects per 1,000 sold",
            unit="per_1000",
            how="per_1000",
            formula_fr="Dossiers « défaut de produit » ÷ unités vendues × 1 000.",
            formula_en="“Product defect” cases ÷ units sold × 1,000.",
            population_fr=(
                "Dossiers ouverts dans la période, dans toute la maison ; fusionnés exclus. Unités des commandes passées "
                "dans la même période, annulées exclues. Jours calendaires."
            ),
            population_en=(
                "Cases opened in the period, over the whole house; merged ones are left out. Units of the orders placed in "
                "the same period, cancelled ones left out. Calendar days."
            ),
            owner="product_quality",
            better="down",
            whole_house=True,
            dimensions=("product", "store"),
        ),
        Measure(_defects, against=lambda frame, _by: _units(frame), knows=("words", "orders")),
    ),
    (
        Indicator(
            key="delivery_contact_rate",
            title_fr="Contacts livraison pour 1 000 commandes",
            title_en="Delivery contacts per 1,000 orders",
            unit="per_1000",
            how="per_1000",
            formula_fr="Dossiers « commande et livraison » ÷ commandes × 1 000.",
            formula_en="“Order and delivery” cases ÷ orders × 1,000.",
            population_fr=(
                "Dossiers ouverts dans la période, dans toute la maison ; fusionnés exclus. Commandes web et boutiques de "
                "la même période, annulées exclues. Par transporteur : la commande nommée dans le message, et les colis. "
                "Jours calendaires."
            ),
            population_en=(
                "Cases opened in the period, over the whole house; merged ones are left out. Web and store orders of the "
                "same period, cancelled ones left out. By carrier: the order that the message names, and the parcels. "
                "Calendar days."
            ),
            owner="logistics",
            better="down",
            whole_house=True,
            dimensions=("carrier", "store"),
            source="IgnyteIQ glossary, Contact rate (gross, by orders)",
        ),
        Measure(
            _delivery_cases,
            against=_against_orders,
            facts_by={"carrier": _delivery_cases_by_carrier},
            knows=("words", "orders"),
        ),
    ),
    (
        Indicator(
            key="late_order_share",
            title_fr="Commandes en retard",
            title_en="Late orders",
            unit="share",
            how="mean",
            formula_fr="Commandes arrivées après le jour promis, ou en retard aujourd'hui ÷ commandes web tranchées.",
            formula_en="Orders that arrived after the promised day, or are late today ÷ web orders that are decided.",
            population_fr=(
                "Commandes web passées dans la période avec un jour promis ; annulées ou remboursées avant l'arrivée "
                "exclues, et celles dont le jour promis est à venir. Jours calendaires."
            ),
            population_en=(
                "Web orders placed in the period with a promised day; left out: those cancelled or refunded before they "
                "arrived, and those whose promised day is still to come. Calendar days."
            ),
            owner="logistics",
            better="down",
            whole_house=True,
            dimensions=("carrier",),
        ),
        Measure(_late_orders, knows=("orders",)),
    ),
    (
        Indicator(
            key="cart_abandonment_share",
            title_fr="Paniers abandonnés",
            title_en="Abandoned carts",
            unit="share",
            how="mean",
            formula_fr="1 − commandes web ÷ paniers créés.",
            formula_en="1 − web orders ÷ carts created.",
            population_fr=(
                "Paniers créés : paniers encore ouverts plus commandes web de la période. Un panier de moins d'une heure "
                "n'est pas encore abandonné. Jours calendaires."
            ),
            population_en=(
                "Carts created: carts still open plus web orders of the period. A cart younger than one hour is not "
                "abandoned yet. Calendar days."
            ),
            owner="ecommerce",
            better="down",
            whole_house=True,
            dimensions=(),
        ),
        Measure(_carts, knows=("orders",)),
    ),
    (
        Indicator(
            key="revenue_at_risk",
            title_fr="Chiffre d'affaires à risque",
            title_en="Revenue at risk",
            unit="euros",
            how="stock",
            formula_fr="Achats des 12 derniers mois des clients identifiés qui ont une plainte en cours.",
            formula_en="Purchases of the last 12 months of identified customers who have a complaint in progress.",
            population_fr=(
                "Une ligne par client ; commandes annulées, retournées et remboursées exclues. Plainte : service, livraison, "
                "défaut, remboursement, facture, départ annoncé. Toute la maison, photo à la fin de la période ou maintenant."
            ),
            population_en=(
                "One row a customer; cancelled, returned and refunded orders are left out. Complaint: service, delivery, "
                "defect, refund, billing, churn threat. Whole house, taken at the end of the period or now."
            ),
            owner="finance",
            better="down",
            whole_house=True,
        ),
        Measure(_at_risk, uneven=True, knows=("words", "orders")),
    ),
)
