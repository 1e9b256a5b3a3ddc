"""The door for people and for webhooks: the dashboard as one Streamlit app, with the analyzer that says why it gave a tag.

Pages are in `dashboard/`, other addresses in `dashboard/routes.py`. The analyzer is opened at the first "why?" of the
process, a source's collector at its first delivery, not before: who never asks waits for nothing.
"""

from functools import lru_cache
from pathlib import Path
from threading import Lock

import streamlit as st

import collectors
import nlp
from cli_learn import heads_of
from dashboard.components.connect import use_catalogue
from dashboard.context import Explain
from dashboard.main import say_error, use_explainer
from dashboard.routes import ROUTES
from dashboard.webhooks import use_receiver
from domain.case import RuleError
from domain.contracts import Attribution, CanExplain, Collector, Delivery, HearsWebhooks, WebhookAnswer
from domain.label import Field
from domain.mention import Mention
from settings import Settings, load_settings, resolve_secrets
from store import Store
from store.sources import Source

ENTRY = Path(__file__).parent / "dashboard" / "entry" / "app.py"
_opened = lru_cache(maxsize=1)(nlp.build)
_one_opens = Lock()


def explainer(settings: Settings, store: Store) -> Explain | None:
    """What says which words carried a tag; None where the analyzer reads by word lists, which have no weights to tell."""
    if not any(row.learns for row in nlp.ANALYZERS if row.key == settings.analyzer):
        return None

    def explain(mention: Mention, field: Field, value: str) -> tuple[Attribution, ...]:
        heads = heads_of(settings, store.models.in_use())
        with _one_opens:
            analyzer = _opened(settings.analyzer, heads=heads)
        if field.value in settings.analyzer_hub or not isinstance(analyzer, CanExplain):
            raise RuleError("The model that answers this question cannot say which words led to its answer.")
        return analyzer.explain(mention, field, value)

    return explain


@lru_cache(maxsize=64)
def _collector(key: str, where: str, settings: tuple[tuple[str, str], ...]) -> Collector:
    return collectors.build(key, resolve_secrets(dict(settings), where))


def receiver(source: Source, delivery: Delivery) -> WebhookAnswer | None:
    """What a source's collector says of a delivery; None where it hears no webhooks."""
    collector = _collector(source.collector, f"source {source.key}", tuple(sorted(source.settings.items())))
    return collector.receive(delivery) if isinstance(collector, HearsWebhooks) else None


use_explainer(explainer)
use_receiver(receiver)
use_catalogue(
    lambda: tuple(collectors.spec(row.key) for row in collectors.COLLECTORS if row.key != "demo"),
    lambda secrets: load_settings().secrets.keep(secrets),  # noqa: PLW0108 - a broken file must not keep the app from opening
)
app = st.App(ENTRY, routes=ROUTES, on_script_error=say_error)
