"""A small counter for tests of the desk: a handful of cases of known people, each with one thing to see."""

from datetime import timedelta
from typing import Any

from dashboard.context import ADMIN, DEPARTMENT_HEAD, Context, Viewer
from domain.case import Case, CaseId
from domain.clock import Calendar
from domain.contracts import Permission
from domain.mention import Mention, MentionKind
from domain.person import CustomerEvent, CustomerRecord, EventKind
from store import Store
from store.queue import QueueFilter, View
from tests.builders import START, analysis, mention, page
from tests.conftest import NOW

AWA = Viewer("Awa", ADMIN)
KARIM = Viewer("Karim", DEPARTMENT_HEAD, ("logistics",))
NADIA = Viewer("Nadia", DEPARTMENT_HEAD, ("finance",))
HOSTILE = "<script>alert(1)</script> **gras** [lien](javascript:alert(1)) :red[rouge]"

# id, who, network, text, hours after START, intent, sentiment, more about the analysis, more about the mention
SAID: tuple[tuple[str, str, str, str, float, str, str, dict[str, Any], dict[str, Any]], ...] = (
    ("1", "lea", "x", "Où est mon colis ?", 190, "order_delivery_issue", "negative", {}, {"order_ref": "OR-1042"}),
    ("2", "noe", "reviews", "Très bon accueil", 100, "praise_thanks", "positive", {}, {"rating": 5, "store": "lille"}),
    ("3", "zoe", "mail", "La facture est fausse", 189, "billing_account_issue", "negative", {}, {}),
    ("4", "max", "blog", "Une poignée qui brûle", 191, "product_defect", "negative", {"urgency": 3}, {}),
    ("5", "ada", "x", HOSTILE, 188, "question_info", "neutral", {"uncertain": True}, {}),
    ("6", "lea", "facebook", "Et mon remboursement ?", 187, "refund_return", "negative", {}, {}),
)


def permission(said: Mention) -> Permission:
    """As the networks have it: X at a price and short, the blog not at all, mail in private."""
    if said.network == "blog":
        return Permission(False, "A blog takes comments on its own page only: open the link and answer there.")
    if said.network == "x":
        return Permission(True, "They mention us.", price=0.01, text_limit=280)
    return Permission(True, public=False) if said.network == "mail" else Permission(True)


def fill(store: Store) -> None:
    """Collect, analyze and route what is in SAID, and make Léa a customer."""
    said = [
        mention(
            number,
            text,
            who=who,
            after=after,
            network=network,
            kind=MentionKind.REVIEW if network == "reviews" else MentionKind.POST,
            url=f"https://{network}.example/{number}",
            **more,
        )
        for number, who, network, text, after, _, _, _, more in SAID
    ]
    of = {f"{row[2]}:{row[0]}": row for row in SAID}
    store.sources.ensure("s", "demo", "S", {})
    store.mentions.add_page("s", page(*said), NOW, permission)
    with store.mentions.unanalyzed(100) as backlog:
        backlog.save([analysis(m.id, of[m.id][5], of[m.id][6], **of[m.id][7]) for m in backlog.mentions], NOW)
    store.people.add_customers([lea()], NOW)
    store.cases.route(100, NOW, lambda _case, _item, _person: ())


def lea() -> CustomerRecord:
    """Léa, with an order that is late."""
    order = {"items": ["cocotte Garrigue"], "status": "shipped", "channel": "web"}
    late = {"order": "OR-1042", "carrier": "transvia", "status": "shipped", "promised_on": "2026-03-06"}
    return CustomerRecord(
        ref="C1",
        name="Léa Martin",
        email="lea@example.org",
        city="Tours",
        loyalty=True,
        since=2023,
        consents=(("x", "lea"), ("facebook", "lea")),
        events=(
            CustomerEvent(EventKind.ORDER, "OR-1042", START - timedelta(days=1), 129.0, order),
            CustomerEvent(EventKind.DELIVERY, "D-OR-1042", START, None, late),
        ),
    )


def context_of(store: Store, viewer: Viewer = AWA, lang: str = "fr", **fields: Any) -> Context:
    """What a page gets, with a clock that stands still."""
    values: dict[str, Any] = {"now": NOW, "zone": store.calendar.zone, "brand": "Ormelune", "clock": lambda: NOW}
    return Context(store=store, viewer=viewer, lang=lang, **{**values, **fields})


def open_store(tmp_path: Any, calendar: Calendar) -> Store:
    """An empty store in a folder of its own."""
    return Store.open(f"sqlite:///{tmp_path}/comptoir.sqlite", calendar)


def case_of(store: Store, mention_id: str) -> Case:
    """The case that holds a mention."""
    f = QueueFilter()
    for view in View:
        for row in store.queue.page(QueueFilter(view=view, sort=f.sort), me="", now=NOW):
            conversation = store.queue.conversation(CaseId(row.case.id))
            if conversation and mention_id in {m.mention.id for m in conversation.messages}:
                return conversation.case
    raise LookupError(mention_id)
