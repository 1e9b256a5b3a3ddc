"""HubSpot's import: contacts.csv, tickets.csv, one segment_<id>.csv a segment, and erasures.csv.

Headers are the labels of HubSpot's standard properties; those that start with "Comptoir" are custom properties, to be made
once or left unmapped (docs/crm.md). A contact needs an e-mail: HubSpot tells contacts apart by it, and would make a new one
at each import of a row without. Sources: HubSpot Knowledge Base, "Set up import files" and "Deduplicate records in
HubSpot"; HubSpot Developers, "How should timestamps be formatted"; read 2026-11-25.
"""

from collections.abc import Mapping
from typing import Any

from crm_sync import cells
from crm_sync.dialects.table import Dialect, Group, Options, Rendered, Table, group
from crm_sync.dialects.wording import subject, summary
from domain.contracts import CrmRecord, RecordKind

# Byte order mark: these files are looked at in Excel before they are imported, and Excel takes UTF-8 for the system's old
# code page without one; HubSpot reads both.
CONTACTS = Table(
    "contacts.csv",
    (
        "Email",
        "First Name",
        "Last Name",
        "Phone Number",
        "Preferred language",
        "Customer Reference",
        "Comptoir Person ID",
    ),
    key="Comptoir Person ID",
    owner="Comptoir Person ID",
    bom=True,
)
TICKETS = Table(
    "tickets.csv",
    (
        "Ticket name",
        "Pipeline",
        "Ticket status",
        "Priority",
        "Ticket description",
        "Email",
        "Comptoir Case ID",
        "Comptoir Person ID",
        "Comptoir Tags",
        "Comptoir Department",
        "Comptoir Sentiment",
        "Comptoir Urgency",
        "Comptoir Network",
        "Comptoir URL",
        "Comptoir Messages",
        "Comptoir Opened",
    ),
    key="Comptoir Case ID",
    owner="Comptoir Person ID",
    bom=True,
)
SEGMENTS = Table(
    "segment_*.csv",
    ("Email", "Comptoir Person ID", "Comptoir Segment ID", "Segment"),
    key="Comptoir Segment ID",
    owner="Comptoir Person ID",
    bom=True,
)
ERASURES = Table("erasures.csv", ("Comptoir Person ID",), key="Comptoir Person ID", bom=True)

_PRIORITIES = {"low": "Low", "normal": "Medium", "high": "High", "urgent": "High"}  # older accounts have three
_NEEDS_EMAIL = "HubSpot tells contacts apart by e-mail, and this one has no usable address"


def _render(record: CrmRecord, options: Options) -> Rendered:
    fields = record.fields
    match record.kind:
        case RecordKind.CONTACT:
            return _contact(fields)
        case RecordKind.FINDING:
            return Rendered((_ticket(fields, options),))
        case RecordKind.SEGMENT_MEMBERS:
            return _segment(fields)
        case RecordKind.FORGET:
            person = fields["person_id"]
            return Rendered((group(ERASURES, [{"Comptoir Person ID": person}], key=person),))


def _contact(fields: Mapping[str, Any]) -> Rendered:
    address = cells.email(fields.get("email"))
    if not address:
        return Rendered((group(CONTACTS, [], key=fields["person_id"]),), _NEEDS_EMAIL)
    first, last = cells.first_and_last(fields.get("name", ""))
    row = {
        "Email": address,
        "First Name": first,
        "Last Name": last,
        "Phone Number": cells.phone(fields.get("phone")),
        "Preferred language": fields.get("lang"),
        "Customer Reference": fields.get("customer_ref"),
        "Comptoir Person ID": fields["person_id"],
    }
    return Rendered((group(CONTACTS, [row], key=fields["person_id"]),))


def _ticket(fields: Mapping[str, Any], options: Options) -> Group:
    lang = options["lang"]
    opened = cells.moment(fields.get("opened_at"))
    row = {
        "Ticket name": subject(fields, lang),
        "Pipeline": options.get("hubspot_pipeline") or "Support Pipeline",
        "Ticket status": options.get("hubspot_status") or "New",
        "Priority": _PRIORITIES.get(fields.get("priority", ""), ""),
        "Ticket description": " ".join(summary(fields, lang)),
        "Email": cells.email(fields.get("email")),
        "Comptoir Case ID": fields["case_id"],
        "Comptoir Person ID": fields.get("person_id"),
        "Comptoir Tags": ";".join(fields.get("tags", ())),  # how HubSpot writes several checkboxes
        "Comptoir Department": fields.get("department"),
        "Comptoir Sentiment": fields.get("sentiment"),
        "Comptoir Urgency": fields.get("urgency"),
        "Comptoir Network": fields.get("network"),
        "Comptoir URL": fields.get("url"),
        "Comptoir Messages": fields.get("message_count"),
        "Comptoir Opened": opened.date().isoformat() if opened else "",
    }
    return group(TICKETS, [row], key=fields["case_id"])


def _segment(fields: Mapping[str, Any]) -> Rendered:
    members = zip(fields.get("person_ids", ()), fields.get("emails", ()), strict=True)
    reachable = [(person, cells.email(address)) for person, address in members]
    rows = [
        {
            "Email": address,
            "Comptoir Person ID": person,
            "Comptoir Segment ID": fields["segment_id"],
            "Segment": fields.get("title"),
        }
        for person, address in reachable
        if address
    ]
    key = fields["segment_id"]
    whole = group(SEGMENTS, rows, key=key, part=cells.plain_name(key))
    return Rendered((whole,), _NEEDS_EMAIL if reachable and not rows else "")


DIALECT = Dialect("hubspot", "HubSpot", (CONTACTS, TICKETS, SEGMENTS, ERASURES), _render)
