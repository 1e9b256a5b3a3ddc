"""The words about a finding that people read in their CRM, in French and English; tags are never translated.

Pure. Titles of intents and departments are the domain's; a vendor's own words (statuses, priorities) are in its module.
"""

from collections.abc import Mapping
from typing import Any

from crm_sync.cells import moment
from domain.departments import DEPARTMENT_BY_KEY
from domain.taxonomy import INTENT_BY_KEY

LANGUAGES = ("fr", "en")

_SENTIMENTS = {
    "fr": {"negative": "négatif", "neutral": "neutre", "positive": "positif"},
    "en": {"negative": "negative", "neutral": "neutral", "positive": "positive"},
}
_SUMMARY = {
    "fr": "Service : {department}. Ton : {sentiment}. Urgence : {urgency} sur 3. Messages : {count}. Ouvert le {opened}.",
    "en": "Department: {department}. Sentiment: {sentiment}. Urgency: {urgency} of 3. Messages: {count}. Opened {opened}.",
}
_LINK = {"fr": "Message : {url}", "en": "Message: {url}"}


def subject(fields: Mapping[str, Any], lang: str) -> str:
    """A finding in one line: "Commande et livraison (x)"."""
    intent = INTENT_BY_KEY.get(fields.get("intent", ""))
    title = intent.title(lang) if intent else fields.get("intent", "")
    return f"{title} ({fields.get('network', '')})"


def summary(fields: Mapping[str, Any], lang: str) -> list[str]:
    """A finding in a few sentences, one a line; where the message stands comes last."""
    department = DEPARTMENT_BY_KEY.get(fields.get("department", ""))
    opened = moment(fields.get("opened_at"))
    lines = [
        " ".join(fields.get("tags", ())),
        _SUMMARY[lang].format(
            department=department.title(lang) if department else fields.get("department", ""),
            sentiment=_SENTIMENTS[lang].get(fields.get("sentiment", ""), fields.get("sentiment", "")),
            urgency=fields.get("urgency", ""),
            count=fields.get("message_count", ""),
            opened=opened.strftime("%Y-%m-%d %H:%M UTC") if opened else "?",
        ),
    ]
    if fields.get("url"):
        lines.append(_LINK[lang].format(url=fields["url"]))
    return lines
