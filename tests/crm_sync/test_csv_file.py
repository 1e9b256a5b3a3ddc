"""The files as their importers want them: headers, values, encodings; and settings, receipts, growth."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

import crm_sync
from crm_sync.dialects import DIALECTS
from crm_sync.records import contact, forget
from domain.case import Priority
from domain.contracts import CrmRecord, ReceiptState
from domain.errors import ConfigurationError
from domain.person import Person
from tests.crm_sync.shop import (
    LEA,
    NOMAIL,
    PAUL,
    STRANGER,
    connect,
    everything,
    everything_in,
    found,
    segment,
    table,
)

SUMMARY = "Service : Logistique. Ton : neutre. Urgence : 2 sur 3. Messages : 3. Ouvert le 2026-03-02 09:30 UTC."
TEXT = f"ORDER_DELIVERY_ISSUE {SUMMARY} Message : https://x.com/i/77?a=1&b=2"


def test_hubspot_files(tmp_path: Path) -> None:
    connect(tmp_path, dialects="hubspot").push(everything())
    assert {path.name for path in (tmp_path / "hubspot").iterdir()} == {
        "contacts.csv",
        "tickets.csv",
        "segment_vip.csv",
    }
    assert table(tmp_path, "hubspot/contacts.csv")[0] == {
        "Email": "lea@example.fr",
        "First Name": "Léa",
        "Last Name": "Martin",
        "Phone Number": "+33612345678",
        "Preferred language": "fr",
        "Customer Reference": "C1",
        "Comptoir Person ID": "p1",
    }
    assert table(tmp_path, "hubspot/tickets.csv")[0] == {
        "Ticket name": "Commande et livraison (x)",
        "Pipeline": "Support Pipeline",
        "Ticket status": "New",
        "Priority": "High",
        "Ticket description": TEXT,
        "Email": "lea@example.fr",
        "Comptoir Case ID": "c1",
        "Comptoir Person ID": "p1",
        "Comptoir Tags": "ORDER_DELIVERY_ISSUE",
        "Comptoir Department": "logistics",
        "Comptoir Sentiment": "neutral",
        "Comptoir Urgency": "2",
        "Comptoir Network": "x",
        "Comptoir URL": "https://x.com/i/77?a=1&b=2",
        "Comptoir Messages": "3",
        "Comptoir Opened": "2026-03-02",
    }
    assert [row["Email"] for row in table(tmp_path, "hubspot/segment_vip.csv")] == [
        "lea@example.fr",
        "paul@example.fr",
    ]


def test_salesforce_files(tmp_path: Path) -> None:
    connect(tmp_path, dialects="salesforce", lang="en").push(everything())
    assert table(tmp_path, "salesforce/Contact.csv")[0] == {
        "External_Id__c": "p1",
        "LastName": "Martin",
        "FirstName": "Léa",
        "Email": "lea@example.fr",
        "Phone": "+33612345678",
        "Customer_Reference__c": "C1",
    }
    first, *_, last = table(tmp_path, "salesforce/Case.csv")
    assert first == {
        "External_Id__c": "c1",
        "Subject": "Order and delivery (x)",
        "Status": "New",
        "Priority": "High",
        "Origin": "Social",
        "Description": (
            "ORDER_DELIVERY_ISSUE Department: Logistics. Sentiment: neutral. Urgency: 2 of 3. Messages: 3. "
            "Opened 2026-03-02 09:30 UTC. Message: https://x.com/i/77?a=1&b=2"
        ),
        "Contact.External_Id__c": "p1",
        "SuppliedName": "Léa Martin",
        "SuppliedEmail": "lea@example.fr",
        "Person_Id__c": "p1",
        "Tags__c": "ORDER_DELIVERY_ISSUE",
        "Department__c": "logistics",
        "Sentiment__c": "neutral",
        "Urgency__c": "2",
        "Network__c": "x",
        "Source_Url__c": "https://x.com/i/77?a=1&b=2",
        "Message_Count__c": "3",
        "Opened_At__c": "2026-03-02T09:30:00.000Z",
    }
    assert (last["Contact.External_Id__c"], last["SuppliedName"], last["Person_Id__c"]) == ("", "", "p9")
    assert table(tmp_path, "salesforce/Campaign.csv") == [
        {"External_Id__c": "vip", "Name": "Fidèles & co", "IsActive": "true"}
    ]
    members = table(tmp_path, "salesforce/CampaignMember.csv")
    assert [row["Contact.External_Id__c"] for row in members] == ["p1", "p2", "p3"]
    assert members[0] == {
        "External_Id__c": "vip:p1",
        "Campaign.External_Id__c": "vip",
        "Contact.External_Id__c": "p1",
        "Status": "Sent",
    }


def test_odoo_files(tmp_path: Path) -> None:
    connect(tmp_path, dialects="odoo").push(everything())
    assert table(tmp_path, "odoo/crm.tag.csv") == [
        {"id": "comptoir.tag_order_delivery_issue", "name": "ORDER_DELIVERY_ISSUE"}
    ]
    assert table(tmp_path, "odoo/res.partner.csv")[0] == {
        "id": "comptoir.partner_p1",
        "name": "Léa Martin",
        "email": "lea@example.fr",
        "phone": "+33612345678",
        "ref": "C1",
    }
    assert table(tmp_path, "odoo/crm.lead.csv")[0] == {
        "id": "comptoir.lead_c1",
        "name": "Commande et livraison (x)",
        "partner_id/id": "comptoir.partner_p1",
        "contact_name": "Léa Martin",
        "email_from": "lea@example.fr",
        "phone": "+33612345678",
        "priority": "3",
        "tag_ids/id": "comptoir.tag_order_delivery_issue",
        "description": f"ORDER_DELIVERY_ISSUE<br/>{SUMMARY}<br/>Message : https://x.com/i/77?a=1&amp;b=2",
        "x_comptoir_person": "p1",
    }
    assert table(tmp_path, "odoo/res.partner.category.csv") == [
        {
            "id": "comptoir.segment_vip",
            "name": "Fidèles & co",
            "partner_ids/id": "comptoir.partner_p1,comptoir.partner_p2,comptoir.partner_p3",
        }
    ]


def test_bytes_are_utf8_with_a_mark_only_for_excel_readers_and_crlf(tmp_path: Path) -> None:
    connect(tmp_path).push([*everything(), forget(STRANGER.id)])
    for path in tmp_path.rglob("*.csv"):
        raw = path.read_bytes()
        assert raw.startswith(b"\xef\xbb\xbf") == (path.parent.name == "hubspot"), path
        assert raw.endswith(b"\r\n") and raw.count(b"\n") == raw.count(b"\r\n"), path
        raw.decode("utf-8-sig")


def test_every_table_of_every_dialect_is_written_by_something(tmp_path: Path) -> None:
    connect(tmp_path).push([*everything(), forget(STRANGER.id)])
    for dialect in DIALECTS:
        for one in dialect.tables:
            assert list((tmp_path / dialect.key).glob(one.file)), (dialect.key, one.file)


def test_strangers_cannot_run_formulas(tmp_path: Path) -> None:
    evil = replace(LEA, name='=HYPERLINK("http://evil.example","x")', customer_ref="@SUM(1)", phone="=1+1")
    connect(tmp_path).push([contact(evil), found(evil), segment(evil, title="-1+1;=2")])
    cells = [cell for rows in everything_in(tmp_path).values() for row in rows for cell in row]
    assert any("HYPERLINK" in cell for cell in cells)
    for cell in cells:
        assert not any(part.strip().startswith(("=", "+", "-", "@")) for part in cell.split(";")), cell


def test_a_vendor_that_cannot_take_a_record_is_named_and_the_others_get_it(tmp_path: Path) -> None:
    crm = connect(tmp_path)
    (receipt,) = crm.push([contact(NOMAIL)])
    assert receipt.state is ReceiptState.ACCEPTED
    assert "HubSpot" in receipt.reason and "e-mail" in receipt.reason and "Odoo" not in receipt.reason
    assert crm.find(contact(NOMAIL)) == receipt.remote_id
    assert set(everything_in(tmp_path)) == {"odoo/res.partner.csv", "salesforce/Contact.csv"}


def test_a_record_that_no_vendor_can_take_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    crm = connect(tmp_path, dialects="hubspot")
    crm.push([contact(replace(NOMAIL, email="ana@example.fr"))])
    before = everything_in(tmp_path)
    (receipt,) = crm.push([contact(NOMAIL)])
    assert receipt.state is ReceiptState.REFUSED and "e-mail" in receipt.reason
    assert everything_in(tmp_path) == before


def test_a_contact_that_loses_its_email_leaves_the_file_that_needs_one(tmp_path: Path) -> None:
    crm = connect(tmp_path)
    crm.push([contact(LEA), contact(PAUL)])
    crm.push([contact(replace(LEA, email=None))])
    assert [row["Email"] for row in table(tmp_path, "hubspot/contacts.csv")] == ["paul@example.fr"]
    assert table(tmp_path, "odoo/res.partner.csv")[0]["email"] == ""


def test_a_nameless_contact_takes_what_is_known_for_a_name(tmp_path: Path) -> None:
    person = Person(PAUL.id, customer_ref="C77")
    (receipt,) = connect(tmp_path, dialects="salesforce,odoo").push([contact(person)])
    assert receipt.state is ReceiptState.ACCEPTED and receipt.reason == ""
    assert table(tmp_path, "salesforce/Contact.csv")[0]["LastName"] == "C77"
    assert table(tmp_path, "odoo/res.partner.csv")[0]["name"] == "C77"
    nobody = Person(PAUL.id, phone="0611223344")
    (receipt,) = connect(tmp_path).push([contact(nobody)])
    assert receipt.state is ReceiptState.REFUSED
    assert all(vendor in receipt.reason for vendor in ("HubSpot", "Salesforce", "Odoo"))


def test_a_key_that_is_not_the_records_own_is_refused(tmp_path: Path) -> None:
    crm = connect(tmp_path)
    strange = replace(contact(LEA), key="contact:p2")
    (receipt,) = crm.push([strange])
    assert receipt.state is ReceiptState.REFUSED and "p2" in receipt.reason and "p1" in receipt.reason
    assert crm.find(strange) is None and everything_in(tmp_path) == {}


def test_the_outboxs_prefix_on_a_key_makes_no_second_row(tmp_path: Path) -> None:
    crm = connect(tmp_path)
    crm.push([contact(LEA)])
    (receipt,) = crm.push([replace(contact(LEA), key="csv_file:contact:p1")])
    assert receipt.key == "csv_file:contact:p1" and receipt.state is ReceiptState.ACCEPTED
    assert len(table(tmp_path, "odoo/res.partner.csv")) == 1


def test_forgetting_leaves_only_the_note_of_whom_to_erase(tmp_path: Path) -> None:
    crm = connect(tmp_path)
    crm.push(everything())
    crm.push([forget(LEA.id), forget(STRANGER.id)])
    left = everything_in(tmp_path)
    assert left.pop("hubspot/erasures.csv")[1:] == [["p1"], ["p9"]]
    assert left.pop("salesforce/erasures.csv")[1:] == [["p1"], ["p9"]]
    assert left.pop("odoo/erasures.csv")[0:2] == [["comptoir.partner_p1"], ["comptoir.partner_p9"]]
    cells = [cell for rows in left.values() for row in rows for cell in row]
    assert not any(trace in cell for cell in cells for trace in ("lea@", "Léa", "p1", "p9", "c1", "c4"))
    assert sum("paul@example.fr" in cell for cell in cells) == 7
    assert table(tmp_path, "odoo/res.partner.category.csv")[0]["partner_ids/id"] == (
        "comptoir.partner_p2,comptoir.partner_p3"
    )


def test_forgetting_reaches_the_files_of_a_vendor_that_is_no_longer_fed(tmp_path: Path) -> None:
    connect(tmp_path).push(everything())
    crm = connect(tmp_path, dialects="hubspot")
    crm.push([forget(LEA.id)])
    assert not any("lea@example.fr" in str(row) for rows in everything_in(tmp_path).values() for row in rows)
    assert crm.find(forget(LEA.id)) == "p1"


def test_a_person_who_comes_back_is_known_again(tmp_path: Path) -> None:
    crm = connect(tmp_path)
    crm.push([contact(LEA), forget(LEA.id)])
    assert crm.find(forget(LEA.id)) == "p1"
    crm.push([contact(LEA)])
    assert crm.find(contact(LEA)) == "p1"
    assert crm.find(forget(LEA.id)) is None  # there is something to forget again


def test_an_emptied_segment_is_found_and_has_nobody(tmp_path: Path) -> None:
    crm = connect(tmp_path)
    crm.push([segment(LEA, PAUL)])
    crm.push([segment()])
    assert table(tmp_path, "hubspot/segment_vip.csv") == table(tmp_path, "salesforce/CampaignMember.csv") == []
    assert crm.find(segment()) == "vip"


def test_hubspot_gets_a_file_for_each_segment_whatever_its_id(tmp_path: Path) -> None:
    crm = connect(tmp_path, dialects="hubspot")
    names = ["a/b", "a:b", "../escape", "été", ".", "=x"]
    crm.push(
        [
            replace(segment(LEA), key=f"segment:{name}", fields={**segment(LEA).fields, "segment_id": name})
            for name in names
        ]
    )
    files = list((tmp_path / "hubspot").glob("segment_*.csv"))
    assert len(files) == len(names) == len(list(tmp_path.rglob("*.csv")))
    crm.push([forget(LEA.id)])
    assert all(len(path.read_bytes().splitlines()) == 1 for path in files)


def test_priorities_of_every_vendor(tmp_path: Path) -> None:
    crm = connect(tmp_path)
    crm.push([found(LEA, number, priority=Priority(number)) for number in range(4)])
    assert [row["Priority"] for row in table(tmp_path, "hubspot/tickets.csv")] == ["Low", "Medium", "High", "High"]
    assert [row["Priority"] for row in table(tmp_path, "salesforce/Case.csv")] == ["Low", "Medium", "High", "High"]
    assert [row["priority"] for row in table(tmp_path, "odoo/crm.lead.csv")] == ["0", "1", "2", "3"]


def test_hubspot_words_of_another_account(tmp_path: Path) -> None:
    connect(tmp_path, hubspot_pipeline="Pipeline d'assistance", hubspot_status="Nouveau").push([found(LEA)])
    (row,) = table(tmp_path, "hubspot/tickets.csv")
    assert (row["Pipeline"], row["Ticket status"]) == ("Pipeline d'assistance", "Nouveau")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "folder"),
        ({"folder": "  "}, "folder"),
        ({"folder": "a\0b"}, "folder"),
        ({"folder": "~nobody-of-this-name/crm"}, "folder"),
        ({"folder": "x", "dialects": "hubspot,sugar"}, "sugar.*hubspot, salesforce, odoo"),
        ({"folder": "x", "dialects": " , "}, "no dialect is named"),
        ({"folder": "x", "lang": "de"}, "fr or en"),
    ],
)
def test_settings_that_a_person_has_to_mend(settings: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        crm_sync.build("csv_file", settings)


def test_settings_may_be_written_loosely(tmp_path: Path) -> None:
    connect(tmp_path, dialects=" Odoo , odoo", lang=" EN ").push([found(LEA)])
    assert {path.split("/")[0] for path in everything_in(tmp_path)} == {"odoo"}
    assert table(tmp_path, "odoo/crm.lead.csv")[0]["name"] == "Order and delivery (x)"


def test_new_records_cost_what_they_are_not_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crm = connect(tmp_path)
    written = [0]
    real_write = os.write

    def counting(descriptor: int, data: bytes) -> int:
        done = real_write(descriptor, data)
        written[0] += done
        return done

    monkeypatch.setattr(os, "write", counting)
    costs = []
    for batch in range(10):
        written[0] = 0
        crm.push([found(LEA, 1000 + batch * 50 + number) for number in range(50)])
        costs.append(written[0])
    # The first batch writes headers and the tag, and tells the others of new files; then each costs the same.
    assert len(set(costs[1:])) == 1 and costs[1] < costs[0]


def test_what_is_there_already_is_not_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(tmp_path).push(everything())
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.csv")}
    monkeypatch.setattr(os, "write", lambda *_: pytest.fail("wrote"))
    connect(tmp_path).push(everything())
    assert times == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.csv")}


def test_rows_keep_their_place_when_replaced(tmp_path: Path) -> None:
    crm = connect(tmp_path)
    crm.push([found(LEA, number) for number in range(6)])
    crm.push([found(LEA, 1, mention_count=99), found(LEA, 4, mention_count=98), found(LEA, 7)])
    rows = table(tmp_path, "salesforce/Case.csv")
    assert [row["External_Id__c"] for row in rows] == ["c0", "c1", "c2", "c3", "c4", "c5", "c7"]
    assert [row["Message_Count__c"] for row in rows] == ["3", "99", "3", "3", "98", "3", "3"]
    crm.push([found(LEA, 5, mention_count=97)])  # the index still knows where everything is
    assert [row["Message_Count__c"] for row in table(tmp_path, "salesforce/Case.csv")] == [
        "3", "99", "3", "3", "98", "97", "3",
    ]  # fmt: skip


def test_a_long_life_of_changes_ends_as_a_few_large_steps(tmp_path: Path) -> None:
    persons = [replace(LEA, id=f"p{number}", email=f"p{number}@example.fr") for number in range(6)]

    def record(step: int) -> CrmRecord:
        person = persons[step * 7 % 6]
        kinds = (
            lambda: contact(replace(person, phone=f"06000000{step:02}")),
            lambda: found(person, step % 13, mention_count=step),
            lambda: segment(*persons[: step % 5]),
            lambda: forget(persons[step * 5 % 6].id),
        )
        return kinds[step * 3 % 4]()

    lived = connect(tmp_path / "lived")
    for step in range(60):
        lived.push([record(step)])
    for half in (range(30), range(30, 60)):
        connect(tmp_path / "fresh").push([record(step) for step in half])
    left = everything_in(tmp_path / "lived")
    assert left == everything_in(tmp_path / "fresh")
    assert all(len(rows) > 1 for rows in left.values())


def test_files_are_not_for_everybody_and_keep_the_operators_mode(tmp_path: Path) -> None:
    crm = connect(tmp_path)
    crm.push(everything())
    path = tmp_path / "odoo" / "res.partner.csv"
    assert path.stat().st_mode & 0o007 == 0
    path.chmod(0o604)
    crm.push([contact(replace(LEA, phone="0699999999"))])
    assert path.stat().st_mode & 0o777 == 0o604


def test_a_batch_that_is_too_large_is_a_bug_of_the_caller(tmp_path: Path) -> None:
    crm = connect(tmp_path)
    with pytest.raises(ValueError, match="201 records"):
        crm.push([contact(LEA)] * 201)
    assert everything_in(tmp_path) == {}


def test_names_are_cut_to_what_salesforce_takes(tmp_path: Path) -> None:
    person = replace(LEA, name="F" * 50 + "x " + "L" * 100 + "x")
    connect(tmp_path, dialects="salesforce").push([contact(person), found(person), segment(LEA, title="T" * 100)])
    (row,) = table(tmp_path, "salesforce/Contact.csv")
    assert (len(row["FirstName"]), len(row["LastName"])) == (40, 80)
    assert len(table(tmp_path, "salesforce/Case.csv")[0]["SuppliedName"]) == 80
    assert len(table(tmp_path, "salesforce/Campaign.csv")[0]["Name"]) == 80


def test_an_intent_and_a_department_that_nobody_knows_are_told_by_their_key(tmp_path: Path) -> None:
    record = found(LEA)
    fields = {**record.fields, "intent": "=new_intent", "department": "space", "opened_at": "", "url": ""}
    connect(tmp_path, lang="en").push([replace(record, fields=fields)])
    (row,) = table(tmp_path, "hubspot/tickets.csv")
    assert row["Ticket name"] == "'=new_intent (x)" and "Department: space" in row["Ticket description"]
    assert row["Comptoir Opened"] == "" and "Message:" not in row["Ticket description"]
