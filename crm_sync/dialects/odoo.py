"""Odoo's import: crm.tag.csv, res.partner.csv, crm.lead.csv, res.partner.category.csv, and erasures.csv.

Files are named after the model, headers are field names, and `id` is the external id under which Odoo finds a row again:
importing twice updates. `x_` columns are custom fields, to be made once or left unmapped (docs/crm.md). Findings are leads,
since Odoo Community has no tickets. Sources: Odoo 19 documentation, "Export and import data"; Odoo 19 source, base_import
and ir_fields (how values of each type are read); read 2026-11-25.
"""

from collections.abc import Mapping
from html import escape
from typing import Any

from crm_sync import cells
from crm_sync.dialects.table import Dialect, Group, Options, Rendered, Table, group
from crm_sync.dialects.wording import subject, summary
from domain.contracts import CrmRecord, RecordKind


def _partner(person_id: str) -> str:
    return f"comptoir.partner_{cells.plain_name(person_id)}"


def _lead(case_id: str) -> str:
    return f"comptoir.lead_{cells.plain_name(case_id)}"


def _tag(tag: str) -> str:
    return f"comptoir.tag_{cells.plain_name(tag.lower())}"


def _category(segment_id: str) -> str:
    return f"comptoir.segment_{cells.plain_name(segment_id)}"


# No byte order mark: the loaders that administrators run on the server take it for a part of the first header.
PARTNERS = Table(
    "res.partner.csv",
    ("id", "name", "email", "phone", "ref"),  # no `lang`: one that is not installed there fails the whole import
    key="id",
    owner="id",
    owned_as=_partner,
)
TAGS = Table("crm.tag.csv", ("id", "name"), key="id")
LEADS = Table(
    "crm.lead.csv",
    (
        "id",
        "name",
        "partner_id/id",
        "contact_name",
        "email_from",
        "phone",
        "priority",
        "tag_ids/id",
        "description",
        "x_comptoir_person",
    ),
    key="id",
    owner="x_comptoir_person",
)
# One row a segment with all its members: the import replaces a whole many-to-many list, so that naming the segment in the
# partners' rows instead would wipe the tags that people gave by hand.
CATEGORIES = Table(
    "res.partner.category.csv",
    ("id", "name", "partner_ids/id"),
    key="id",
    owner="partner_ids/id",
    owned_as=_partner,
    owner_list=True,
)
ERASURES = Table("erasures.csv", ("id",), key="id")

_PRIORITIES = {"low": "0", "normal": "1", "high": "2", "urgent": "3"}


def _render(record: CrmRecord, options: Options) -> Rendered:
    fields = record.fields
    match record.kind:
        case RecordKind.CONTACT:
            return _contact(fields)
        case RecordKind.FINDING:
            return Rendered((*_used_tags(fields), _finding(fields, options)))
        case RecordKind.SEGMENT_MEMBERS:
            return Rendered((_segment(fields),))
        case RecordKind.FORGET:
            partner = _partner(fields["person_id"])
            return Rendered((group(ERASURES, [{"id": partner}], key=partner),))


def _contact(fields: Mapping[str, Any]) -> Rendered:
    partner = _partner(fields["person_id"])
    address = cells.email(fields.get("email"))
    name = fields.get("name") or address or fields.get("customer_ref")
    if not name:
        reason = "Odoo needs a name, and neither a name, an e-mail nor a customer number is known"
        return Rendered((group(PARTNERS, [], key=partner),), reason)
    row = {
        "id": partner,
        "name": name,
        "email": address,
        "phone": cells.phone(fields.get("phone")),
        "ref": fields.get("customer_ref"),
    }
    return Rendered((group(PARTNERS, [row], key=partner),))


def _used_tags(fields: Mapping[str, Any]) -> list[Group]:
    return [group(TAGS, [{"id": _tag(tag), "name": tag}], key=_tag(tag)) for tag in fields.get("tags", ())]


def _finding(fields: Mapping[str, Any], options: Options) -> Group:
    lang = options["lang"]
    lead = _lead(fields["case_id"])
    person = fields.get("person_id") or ""
    row = {
        "id": lead,
        "name": subject(fields, lang),
        "partner_id/id": _partner(person) if fields.get("has_contact") else "",
        "contact_name": fields.get("name"),
        "email_from": cells.email(fields.get("email")),
        "phone": cells.phone(fields.get("phone")),
        "priority": _PRIORITIES.get(fields.get("priority", ""), "0"),
        "tag_ids/id": ",".join(_tag(tag) for tag in fields.get("tags", ())),
        # The date stands in the text: Odoo reads a date and time in the time zone of whoever imports.
        "description": "<br/>".join(escape(line) for line in summary(fields, lang)),
        "x_comptoir_person": person,
    }
    return group(LEADS, [row], key=lead)


def _segment(fields: Mapping[str, Any]) -> Group:
    category = _category(fields["segment_id"])
    row = {
        "id": category,
        "name": fields.get("title") or fields["segment_id"],
        "partner_ids/id": ",".join(_partner(person) for person in fields.get("person_ids", ())),
    }
    return group(CATEGORIES, [row], key=category)


DIALECT = Dialect("odoo", "Odoo", (TAGS, PARTNERS, LEADS, CATEGORIES, ERASURES), _render)
