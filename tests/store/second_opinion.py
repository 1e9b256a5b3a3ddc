"""The definitions of all indicators again, over all rows, in plain Python: slow, obvious, and written apart from SQL."""

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date, datetime, timedelta
from statistics import fmean, median
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from domain.case import is_late, met_first_reply_target
from store import Store, schema
from store.indicators import INDICATOR_BY_KEY, Scope
from store.rows import case_of
from tests.store.shop import NOW

PARIS = ZoneInfo("Europe/Paris")
TODAY = date(2026, 3, 10)


class Opinion:
    """Everything in the store, and each indicator computed the slow and obvious way."""

    def __init__(self, store: Store) -> None:
        with store.database.read() as connection:
            everything = {
                table: connection.execute(sa.select(table)).mappings().all()
                for table in (schema.mentions, schema.cases, schema.events, schema.persons, schema.accounts)
            }
        self.all_mentions = everything[schema.mentions]
        self.all_cases = everything[schema.cases]
        self.events = everything[schema.events]
        self.identified = {p["id"] for p in everything[schema.persons] if p["customer_ref"]}
        self.followers = {a["id"]: a["follower_count"] for a in everything[schema.accounts]}

    @staticmethod
    def within(moment: datetime | None, scope: Scope) -> bool:
        return moment is not None and scope.since <= moment.astimezone(PARIS).date() < scope.until

    @staticmethod
    def fits(row: Any, scope: Scope) -> bool:
        return all(
            not wanted or row[column] in wanted
            for column, wanted in (
                ("department", scope.departments),
                ("network", scope.networks),
                ("store", scope.stores),
                ("product", scope.products),
            )
        )

    def heard(self, scope: Scope) -> list[Any]:
        return [
            m
            for m in self.all_mentions
            if not m["outbound"] and self.within(m["created_at"], scope) and self.fits(m, scope)
        ]

    def cases(self, scope: Scope, *, any_time: bool = False) -> list[Any]:
        return [
            c
            for c in self.all_cases
            if c["status"] != "merged" and self.fits(c, scope) and (any_time or self.within(c["opened_at"], scope))
        ]

    def answerable(self, case: Any) -> bool:
        said = [m for m in self.all_mentions if m["case_id"] == case["id"] and not m["outbound"]]
        return case["first_reply_at"] is not None or any(m["permission"]["allowed"] for m in said)

    def orders(self, scope: Scope, kind: str = "order") -> list[Any]:
        return [e for e in self.events if e["kind"] == kind and self.within(e["at"], scope)]

    @staticmethod
    def holds(event: Any, scope: Scope) -> bool:
        return not scope.products or bool(set(event["data"]["products"]) & set(scope.products))

    def sold(self, scope: Scope) -> list[Any]:
        return [
            e
            for e in self.orders(scope)
            if e["data"]["status"] != "cancelled" and (not scope.stores or e["data"]["channel"] in scope.stores)
        ]

    def value(self, key: str, scope: Scope) -> float | None:
        if INDICATOR_BY_KEY[key].whole_house:
            scope = replace(scope, departments=())
        found: float | None = getattr(self, key)(scope)
        return found

    def mentions(self, s: Scope) -> float:
        return float(len(self.heard(s)))

    def mentions_of(self, scope: Scope, *intents: str) -> float:
        return float(sum(m["intent"] in intents for m in self.heard(scope)))

    def praise_count(self, s: Scope) -> float:
        return self.mentions_of(s, "praise_thanks")

    def idea_count(self, s: Scope) -> float:
        return self.mentions_of(s, "suggestion_idea")

    def purchase_intent_count(self, s: Scope) -> float:
        return self.mentions_of(s, "purchase_intent")

    def billing_count(self, s: Scope) -> float:
        return self.mentions_of(s, "billing_account_issue")

    def refund_count(self, s: Scope) -> float:
        return self.mentions_of(s, "refund_return")

    def employment_count(self, s: Scope) -> float:
        return self.mentions_of(s, "employment")

    def safety_count(self, s: Scope) -> float:
        return float(sum(m["urgency"] == 3 for m in self.heard(s)))

    def sentiments(self, s: Scope) -> Counter[str]:
        return Counter(m["sentiment"] for m in self.heard(s) if m["intent"] != "spam_promo")

    def negative_share(self, s: Scope) -> float | None:
        n = self.sentiments(s)
        return n["negative"] / n.total() if n.total() else None

    def net_sentiment(self, s: Scope) -> float | None:
        n = self.sentiments(s)
        told = n["positive"] + n["negative"]
        return (n["positive"] - n["negative"]) / told if told else None

    def average_rating(self, s: Scope) -> float | None:
        return _mean([m["rating"] for m in self.heard(s) if m["rating"] is not None])

    def review_reply_rate(self, s: Scope) -> float | None:
        ours = defaultdict(list)
        for m in self.all_mentions:
            if m["outbound"]:
                ours[m["thread_id"]].append(m["created_at"])
        reviews = [m for m in self.heard(s) if m["kind"] == "review"]
        return _mean([any(at > m["created_at"] for at in ours[m["thread_id"]]) for m in reviews])

    def estimated_reach(self, s: Scope) -> float:
        def reach(followers: int) -> float:
            if followers <= 100_000:
                return followers * 0.15
            if followers >= 10_000_000:
                return followers * 0.06
            return followers * (0.15 - 0.09 * (followers - 100_000) / 9_900_000)

        heard = [self.followers.get(m["account_id"]) for m in self.heard(s) if m["intent"] != "spam_promo"]
        return sum(reach(followers) for followers in heard if followers is not None)

    def first_reply_median(self, s: Scope) -> float | None:
        waits = [
            (c["first_reply_at"] - c["opened_at"]).total_seconds() / 60 for c in self.cases(s) if c["first_reply_at"]
        ]
        return median(waits) if waits else None

    def reply_rate(self, s: Scope) -> float | None:
        return _mean([c["first_reply_at"] is not None for c in self.cases(s) if self.answerable(c)])

    def sla_share(self, s: Scope) -> float | None:
        told = [met_first_reply_target(case_of(c), NOW) for c in self.cases(s) if self.answerable(c)]
        return _mean([met for met in told if met is not None])

    def reopen_share(self, s: Scope) -> float | None:
        ended = [c for c in self.cases(s) if c["resolved_at"] or c["reopened_count"]]
        return _mean([c["reopened_count"] > 0 for c in ended])

    @staticmethod
    def end(s: Scope) -> datetime:
        return min(datetime(s.until.year, s.until.month, s.until.day, tzinfo=PARIS), NOW)

    def in_progress(self, s: Scope) -> list[Any]:
        end = self.end(s)
        return [
            c
            for c in self.cases(s, any_time=True)
            if c["opened_at"] < end and (c["resolved_at"] is None or c["resolved_at"] >= end)
        ]

    def open_cases(self, s: Scope) -> float:
        return float(len(self.in_progress(s)))

    def late_cases(self, s: Scope) -> float:
        return float(sum(is_late(case_of(c), NOW) for c in self.cases(s, any_time=True)))

    def defect_rate(self, s: Scope) -> float | None:
        defects = sum(c["intent"] == "product_defect" for c in self.cases(s))
        units = sum(not s.products or name in s.products for e in self.sold(s) for name in e["data"]["products"])
        return defects / units * 1000 if units else None

    def delivery_contact_rate(self, s: Scope) -> float | None:
        contacts = sum(c["intent"] == "order_delivery_issue" for c in self.cases(s))
        orders = sum(self.holds(e, s) for e in self.sold(s))
        return contacts / orders * 1000 if orders else None

    def late_order_share(self, s: Scope) -> float | None:
        if s.stores:
            return None
        behind = {e["ref"]: e for e in self.events if e["kind"] == "order"}
        late: list[bool] = []
        for e in self.orders(s, "delivery"):
            data = e["data"]
            if not self.holds(behind[data["order"]], s):
                continue
            if data["delivered_on"]:
                late.append(data["delivered_on"] > data["promised_on"])
            elif data["promised_on"] < TODAY.isoformat() and data["status"] in {"shipped", "late", "preparing", "lost"}:
                late.append(True)
        return _mean(late)

    def cart_abandonment_share(self, s: Scope) -> float | None:
        if s.stores:
            return None
        left = [e for e in self.orders(s, "cart") if e["at"] < NOW - timedelta(hours=1) and self.holds(e, s)]
        bought = [e for e in self.orders(s) if e["data"]["channel"] == "web" and self.holds(e, s)]
        return 1 - len(bought) / (len(left) + len(bought)) if left or bought else None

    def revenue_at_risk(self, s: Scope) -> float:
        complaints = {
            "complaint_service", "order_delivery_issue", "product_defect", "refund_return", "billing_account_issue",
            "churn_threat",
        }  # fmt: skip
        end = self.end(s)
        people = {c["person_id"] for c in self.in_progress(s) if c["intent"] in complaints} & self.identified
        return sum(
            e["amount"]
            for e in self.events
            if e["kind"] == "order"
            and e["person_id"] in people
            and end - timedelta(days=365) <= e["at"] < end
            and e["data"]["status"] not in {"cancelled", "refunded", "returned"}
        )


def _mean(values: list[Any]) -> float | None:
    return fmean(map(float, values)) if values else None
