"""Salesforce's Data Loader and Bulk API: Contact.csv, Case.csv, Campaign.csv, CampaignMember.csv, and erasures.csv.

Headers are API names, so that Data Loader maps them by itself. `External_Id__c` is a custom field with "External ID" and
"Unique" ticked on each of the four objects; upsert by it makes an import safe to repeat. The other `__c` columns are custom
fields, to be made once or left unmapped (docs/crm.md). Sources: Bulk API 2.0 Developer Guide, "Prepare CSV Files",
"Relationship Fields in a Header Row" and "Valid Date Format in Records"; Object Reference, CampaignMember; read 2026-11-25.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from crm_sync import cells
from crm_sync.dialects.table import Dialect, Group, Options, Rendered, Table, group
from crm_sync.dialects.wording import subject, summary
from domain.contracts import CrmRecord, RecordKind

# No byte order mark: Salesforce's command line, and Data Loader before version 52, take it for a part of the first header.
CONTACT = Table(
    "Contact.csv",
    ("External_Id__c", "LastName", "FirstName", "Email", "Phone", "Customer_Reference__c"),
    key="External_Id__c",
    owner="External_Id__c",
)
CASE = Table(
    "Case.csv",
    (
        "External_Id__c",
        "Subject",
        "Status",
        "Priority",
        "Origin",
        "Description",
        "Contact.External_Id__c",
        "SuppliedName",
        "SuppliedEmail",
        "Person_Id__c",
        "Tags__c",
        "Department__c",
        "Sentiment__c",
        "Urgency__c",
        "Network__c",
        "Source_Url__c",
        "Message_Count__c",
        "Opened_At__c",
    ),
    key="External_Id__c",
    owner="Person_Id__c",
)
CAMPAIGN = Table("Campaign.csv", ("External_Id__c", "Name", "IsActive"), key="External_Id__c")
MEMBER = Table(
    "CampaignMember.csv",
    ("External_Id__c", "Campaign.External_Id__c", "Contact.External_Id__c", "Status"),
    key="Campaign.External_Id__c",
    owner="Contact.External_Id__c",
)
ERASURES = Table("erasures.csv", ("Contact.External_Id__c",), key="Contact.External_Id__c")

_PRIORITIES = {"low": "Low", "normal": "Medium", "high": "High", "urgent": "High"}


def _render(record: CrmRecord, options: Options) -> Rendered:
    fields = record.fields
    match record.kind:
        case RecordKind.CONTACT:
            return _contact(fields)
        case RecordKind.FINDING:
            return Rendered((_case(fields, options),))
        case RecordKind.SEGMENT_MEMBERS:
            return Rendered(_campaign(fields))
        case RecordKind.FORGET:
            person = fields["person_id"]
            return Rendered((group(ERASURES, [{"Contact.External_Id__c": person}], key=person),))


def _contact(fields: Mapping[str, Any]) -> Rendered:
    first, last = cells.first_and_last(fields.get("name", ""))
    address = cells.email(fields.get("email"))
    last = last or address or str(fields.get("customer_ref") or "")
    if not last:
        reason = "Salesforce needs a last name, and neither a name, an e-mail nor a customer number is known"
        return Rendered((group(CONTACT, [], key=fields["person_id"]),), reason)
    row = {
        "External_Id__c": fields["person_id"],
        "LastName": cells.cut(last, 80),
        "FirstName": cells.cut(first, 40),
        "Email": address if len(address) <= 80 else "",
        "Phone": cells.phone(fields.get("phone")),
        "Customer_Reference__c": fields.get("customer_ref"),
    }
    return Rendered((group(CONTACT, [row], key=fields["person_id"]),))


def _case(fields: Mapping[str, Any], options: Options) -> Group:
    lang = options["lang"]
    address = cells.email(fields.get("email"))
    person = fields.get("person_id")
    row = {
        "External_Id__c": fields["case_id"],
        "Subject": cells.cut(subject(fields, lang), 255),
        "Status": "New",
        "Priority": _PRIORITIES.get(fields.get("priority", ""), ""),
        "Origin": "Social",
        "Description": " ".join(summary(fields, lang)),
        # A reference to a contact that was never sent would fail the row.
        "Contact.External_Id__c": person if fields.get("has_contact") else "",
        "SuppliedName": cells.cut(fields.get("name", ""), 80),
        "SuppliedEmail": address if len(address) <= 80 else "",
        "Person_Id__c": person,
        "Tags__c": ";".join(fields.get("tags", ())),  # how Salesforce writes a multi-select picklist
        "Department__c": fields.get("department"),
        "Sentiment__c": fields.get("sentiment"),
        "Urgency__c": fields.get("urgency"),
        "Network__c": fields.get("network"),
        "Source_Url__c": fields.get("url") if len(fields.get("url", "")) <= 255 else "",
        "Message_Count__c": fields.get("message_count"),
        "Opened_At__c": _date_time(cells.moment(fields.get("opened_at"))),
    }
    return group(CASE, [row], key=fields["case_id"])


def _campaign(fields: Mapping[str, Any]) -> tuple[Group, Group]:
    segment = fields["segment_id"]
    campaign = {
        "External_Id__c": segment,
        "Name": cells.cut(fields.get("title") or segment, 80),
        "IsActive": True,
    }
    members = [
        {
            "External_Id__c": f"{segment}:{person}",
            "Campaign.External_Id__c": segment,
            "Contact.External_Id__c": person,
            "Status": "Sent",
        }
        for person in fields.get("person_ids", ())
    ]
    return group(CAMPAIGN, [campaign], key=segment), group(MEMBER, members, key=segment)


def _date_time(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z") if moment else ""


DIALECT = Dialect("salesforce", "Salesforce", (CONTACT, CASE, CAMPAIGN, MEMBER, ERASURES), _render)
