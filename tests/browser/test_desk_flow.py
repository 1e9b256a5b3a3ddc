"""The desk in a real Chromium, over a real server and store: from a complaint to its answer, its end and its journal."""

import json
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import Page, expect

import worker as steps
from dashboard.views_case import may_answer
from domain.case import Case, Status
from domain.clock import utc_now
from store.outbox import OutboxState
from store.queue import Message, QueueFilter
from tests.browser.conftest import HOSTILE, OpenPage, Shop

pytestmark = pytest.mark.browser

ROWS = ".st-key-desk_list .row"
BUBBLES = ".st-key-desk_conversation .bubble"
BOX = ".st-key-desk_writer textarea"
TOAST = ".st-key-desk_frame .toast"


def open_desk(open_page: OpenPage, path: str = "/", **size: int) -> Page:
    page = open_page(path, **size)
    expect(page.locator(ROWS).first).to_be_visible()
    expect(page.locator(".st-key-desk_frame .panes button")).to_have_count(3)
    expect(page.locator(f"{ROWS}[aria-selected='true']")).to_have_count(1)
    expect(page.locator(".st-key-desk_next button").first).to_be_attached()
    settled(page)
    return page


def settled(page: Page) -> None:
    """The columns show what was clicked."""
    expect(page.locator("html[data-desk-busy]")).to_have_count(0)


def answerable(shop: Shop, **filters: tuple[str, ...]) -> tuple[Case, Message]:
    """An open case that nobody holds, with a known customer and a message that may be answered."""
    now = utc_now()
    for row in shop.store.queue.page(QueueFilter(text="livraison", **filters), me="", now=now):  # type: ignore[arg-type]
        conversation = shop.store.queue.conversation(row.case.id)
        person = shop.store.people.get(row.case.person_id) if row.case.person_id else None
        if row.case.assignee or conversation is None or person is None or not person.customer_since:
            continue
        heard = [m for m in conversation.messages if not m.mention.outbound]
        if heard and may_answer(heard[-1].permission, now):
            return row.case, heard[-1]
    raise LookupError("no such case in the demo")


def replies(path: Path, text: str) -> list[dict[str, str]]:
    """What the pretend network holds of one answer."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [reply for reply in map(json.loads, lines) if reply["text"] == text]


def privately_answerable(shop: Shop) -> tuple[Case, Message]:
    """An open case of one comment that may be answered privately and hidden."""
    now = utc_now()
    for row in shop.store.queue.page(QueueFilter(networks=("instagram",)), me="", now=now):
        conversation = shop.store.queue.conversation(row.case.id)
        if conversation is None or len(conversation.messages) != 1:
            continue
        [message] = conversation.messages
        rights = message.permission
        if rights is not None and rights.acts and may_answer(rights.private, now):
            return row.case, message
    raise LookupError("no such case in the demo")


def hidden(shop: Shop, message: Message) -> bool:
    """Whether the pretend network shows it to nobody else."""
    path = shop.replies.parent / "acts.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    acts = [act["act"] for act in map(json.loads, lines) if act["id"] == message.mention.native_id]
    return acts[-1:] == ["hide"]


def status_of(shop: Shop, case: Case) -> Status:
    found = shop.store.cases.get(case.id)
    assert found is not None
    return found.status


def search(page: Page, words: str) -> None:
    page.keyboard.press("/")
    page.keyboard.type(words)
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-desk_q input")).not_to_be_focused()


def test_the_door_tells_how_it_feels_and_brings_its_own_letters(open_page: OpenPage, shop: Shop) -> None:
    with urlopen(f"{shop.url}/healthz", timeout=30) as answer:
        assert json.load(answer)["status"] == "ok"
    page = open_desk(open_page)
    assert page.evaluate("() => document.fonts.check('700 15px Lato') && document.fonts.check('15px Lato')")
    assert page.evaluate("() => [...document.fonts].some((f) => f.family === 'Lato' && f.status === 'loaded')")


def test_from_a_complaint_to_its_answer_its_end_and_its_journal(open_page: OpenPage, shop: Shop) -> None:
    case, message = answerable(shop, networks=("x",))
    answer = "Bonjour, votre colis repart ce soir, je vous écris dès qu'il est en chemin. Awa"
    page = open_desk(open_page)

    # She looks for deliveries on X.
    search(page, "livraison")
    page.locator(".st-key-desk_p_network button").first.click()
    page.get_by_test_id("stPopoverBody").get_by_text("X", exact=True).click()
    expect(page.locator(".st-key-desk_p_network").get_by_text("Réseau : X")).to_be_visible()
    page.keyboard.press("Escape")
    row = page.locator(f"#case-{case.id}")
    row.click()
    expect(row).to_have_attribute("aria-selected", "true")
    expect(page).to_have_url(f"{shop.url}/?case={case.id}")

    # She reads what was said, and who it is.
    expect(page.locator(BUBBLES).filter(has_text=message.mention.text[:40]).first).to_be_visible()
    expect(page.locator(".st-key-desk_customer .sub")).to_contain_text("client·e depuis")

    # She takes it.
    page.keyboard.press("t")
    expect(page.locator(".st-key-desk_release button").first).to_be_visible()
    assert shop.store.cases.get(case.id).assignee == "Awa"  # type: ignore[union-attr]

    # She answers; two presses are one answer.
    expect(page.locator(".st-key-desk_writer .line")).to_contain_text("X permet de répondre")
    page.keyboard.press("r")
    page.keyboard.type(answer)
    expect(page.locator(".st-key-desk_writer .counter")).to_have_text(f"{len(answer)} / 280")
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Control+Enter")
    expect(page.locator(f"{BUBBLES}.out .state.pending")).to_contain_text("part dans un instant")
    expect(page.locator(BOX)).to_have_value("")

    # The worker carries it out, once; the conversation says so by itself.
    steps.run_once(shop.worker)
    assert len(replies(shop.replies, answer)) == 1
    sent = page.locator(f"{BUBBLES}.out").filter(has_text=answer)
    expect(sent.locator(".state.sent")).to_contain_text("envoyé")
    steps.run_once(shop.worker)  # the answer comes back from the network: still one
    assert len(replies(shop.replies, answer)) == 1
    expect(sent).to_have_count(1)
    assert [row.state for row in shop.store.outbox.of_case(case.id)] == [OutboxState.SENT]

    # She resolves it, takes that back, resolves it for good.
    page.locator(BOX).blur()
    page.keyboard.press("e")
    expect(page.locator(".st-key-desk_reopen button").first).to_be_visible()
    expect(page.locator(TOAST)).to_contain_text("Résolue.")
    page.locator(TOAST).get_by_text("Annuler").click()
    expect(page.locator(".st-key-desk_resolve button").first).to_be_visible()
    assert status_of(shop, case) is Status.PENDING
    page.locator(".st-key-desk_resolve button").first.click()
    expect(page.locator(".st-key-desk_reopen button").first).to_be_visible()
    assert status_of(shop, case) is Status.RESOLVED

    # The journal has it all.
    page.locator(".st-key-desk_customer .journal").click()
    acts = page.get_by_role("dialog").locator(".act")
    expect(acts.filter(has_text="Awa a résolu")).to_have_count(2)
    expect(acts.filter(has_text="Awa a annulé le geste précédent")).to_have_count(1)
    expect(acts.filter(has_text="Awa a demandé l'envoi d'une réponse")).to_have_count(1)


def test_a_private_answer_and_a_hidden_comment(open_page: OpenPage, shop: Shop) -> None:
    case, message = privately_answerable(shop)
    answer = "Bonjour, pouvez-vous nous donner votre numéro de commande ici ? Awa"
    page = open_desk(open_page, f"/?case={case.id}")
    said = page.locator(f"{BUBBLES}.in").filter(has_text=message.mention.text[:30]).first
    modes = page.locator(".st-key-desk_writer .mode:visible")
    expect(modes).to_have_text(["Public", "Privé", "Note interne"])

    # She chooses the private way, and is told until when before she writes; it leaves once.
    page.keyboard.press("p")
    expect(page.locator(".st-key-desk_writer .line")).to_contain_text("privé · ")
    expect(page.locator(".st-key-desk_writer .line")).to_contain_text("jusqu'à")
    page.keyboard.type(answer)
    page.keyboard.press("Control+Enter")
    expect(page.locator(f"{BUBBLES}.out .state.pending")).to_contain_text("part dans un instant")
    for _ in range(2):  # the second pass hears it back
        steps.run_once(shop.worker)
    assert [reply.get("private") for reply in replies(shop.replies, answer)] == [True]
    sent = page.locator(f"{BUBBLES}.out").filter(has_text=answer)
    expect(sent.locator(".chip")).to_have_text("privé")
    expect(sent.locator(".state.sent")).to_contain_text("envoyé")

    # By the keyboard alone she hides the comment, once she was asked whether she is sure.
    page.locator(BOX).blur()
    said.locator(".dots").press("Enter")
    expect(said.get_by_role("button", name="Masquer")).to_be_focused()
    page.keyboard.press("Enter")
    expect(said.locator(".ask")).to_contain_text("Masquer ce message aux autres ?")
    page.keyboard.press("Escape")
    expect(said.locator(".dots")).to_be_focused()
    assert not hidden(shop, message)
    said.locator(".dots").press("Enter")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(said.locator(".state.pending")).to_contain_text("sera masqué dans un instant")
    steps.run_once(shop.worker)
    expect(said.locator(".chip").filter(has_text="masqué aux autres")).to_be_visible()
    assert hidden(shop, message)

    # The way back at the foot of the page shows it again.
    page.locator(TOAST).get_by_text("Annuler").click()
    expect(said.locator(".state.pending")).to_contain_text("sera montré")
    steps.run_once(shop.worker)
    expect(said.locator(".says.veiled")).to_have_count(0)
    assert not hidden(shop, message)


def test_a_department_head_sees_only_what_is_theirs(open_page: OpenPage, shop: Shop) -> None:
    case, message = answerable(shop)
    page = open_page(f"/?as=finance&case={case.id}")
    expect(page.locator(ROWS).first).to_be_visible()
    expect(page.locator(".st-key-desk_conversation")).to_contain_text("Cette conversation n'est pas pour vous")
    body = page.content() + str(page.evaluate("() => document.body.innerText"))
    assert message.mention.text[:30] not in body
    assert page.locator(".st-key-desk_customer .name").count() == 0
    departments = page.locator(f"{ROWS} .chip[title='Finance']").count()
    assert departments == page.locator(ROWS).count() > 0
    expect(page.locator(".st-key-desk_p_department")).to_have_count(0)


def test_a_column_that_a_popover_left_inert_wakes(open_page: OpenPage) -> None:
    page = open_desk(open_page)
    asleep = page.locator(".st-key-desk_person_pane[inert]")
    page.locator(".st-key-desk_p_network button").first.click()
    expect(page.get_by_test_id("stPopoverBody")).to_be_visible()
    page.evaluate("() => document.querySelector('.st-key-desk_person_pane').setAttribute('inert', '')")
    page.wait_for_timeout(2_500)  # longer than the turn in which leftovers are woken
    expect(asleep).to_have_count(1)  # the popover is open: what lies outside stays asleep
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("stPopoverBody")).to_have_count(0)
    expect(asleep).to_have_count(0)
    page.locator(".st-key-desk_customer .journal").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_a_reload_opens_the_same_case(open_page: OpenPage) -> None:
    page = open_desk(open_page)
    page.locator(ROWS).nth(3).click()
    name = page.locator(f"{ROWS} >> nth=3").locator(".who").inner_text()
    expect(page.locator(".st-key-desk_conversation .name span")).to_have_text(name)
    page.wait_for_url("**/?case=*")
    page.reload()
    expect(page.locator(".st-key-desk_conversation .name span")).to_have_text(name)


def test_words_of_a_stranger_are_only_words(open_page: OpenPage) -> None:
    page = open_desk(open_page)
    search(page, "onerror")
    expect(page.locator(ROWS)).to_have_count(1)
    page.locator(ROWS).first.click()
    # The case that stood there before may hold several: a strict locator does not wait for them to go.
    expect(page.locator(f"{BUBBLES} .says")).to_have_count(1)
    expect(page.locator(f"{BUBBLES} .says")).to_have_text(HOSTILE)
    assert page.evaluate("() => window.hacked") is None


def test_the_keyboard_alone(open_page: OpenPage) -> None:
    page = open_desk(open_page)
    chosen = page.locator(f"{ROWS}[aria-selected='true']")
    first = chosen.get_attribute("id")
    page.keyboard.press("n")
    expect(chosen).not_to_have_id(first or "")
    page.locator(".st-key-desk_list .list").focus()
    page.keyboard.press("ArrowUp")
    expect(chosen).to_have_id(first or "")
    expect(page).to_have_url(f"{page.url.split('?')[0]}?case={(first or '').removeprefix('case-')}")

    page.keyboard.press("?")
    expect(page.locator(".st-key-desk_frame dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".st-key-desk_frame dialog")).to_be_hidden()

    page.keyboard.press("s")
    expect(page.get_by_test_id("stPopoverBody").get_by_text("Demain 9:00")).to_be_visible()
    page.keyboard.press("Escape")

    # In a box, letters are letters.
    page.keyboard.press("i")
    page.keyboard.type("tenir rue")
    expect(page.locator(BOX)).to_have_value("tenir rue")
    expect(page.locator(".st-key-desk_take button").first).to_be_visible()


def test_a_click_is_answered_at_once_and_a_draft_waits(open_page: OpenPage) -> None:
    page = open_desk(open_page)
    page.keyboard.press("i")
    page.keyboard.type("à reprendre demain")
    other = page.locator(ROWS).nth(2)
    # In the same breath as the click, before any answer of the server: the row is chosen, the columns say that they change.
    taken = other.evaluate(
        "(row) => { row.click(); return [row.getAttribute('aria-selected'), document.documentElement.dataset.deskBusy] }"
    )
    assert taken[0] == "true" and taken[1]
    settled(page)
    expect(page.locator(BOX)).to_have_value("")
    page.locator(ROWS).first.click()
    expect(page.locator(BOX)).to_have_value("à reprendre demain")


def test_a_note_stays_inside(open_page: OpenPage, shop: Shop) -> None:
    page = open_desk(open_page)
    page.locator(ROWS).nth(4).click()
    settled(page)
    page.keyboard.press("i")
    page.keyboard.type("Vu avec Transvia.")
    page.keyboard.press("Control+Enter")
    expect(page.locator(f"{BUBBLES}.note")).to_contain_text("Vu avec Transvia.")
    steps.run_once(shop.worker)
    assert not replies(shop.replies, "Vu avec Transvia.")


def test_on_a_phone_one_column_at_a_time(open_page: OpenPage) -> None:
    page = open_desk(open_page, width=390, height=844)
    queue, case, person = (page.locator(f".st-key-desk_{name}_pane") for name in ("queue", "case", "person"))
    expect(case).to_be_hidden()
    page.locator(ROWS).nth(1).click()
    expect(case).to_be_visible()
    expect(queue).to_be_hidden()
    expect(page.locator(BUBBLES).first).to_be_visible()
    page.locator(".st-key-desk_frame .panes button").nth(2).click()
    expect(person).to_be_visible()
    expect(case).to_be_hidden()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390


def test_new_words_wait_at_the_top_and_nothing_jumps(open_page: OpenPage, shop: Shop) -> None:
    from datetime import timedelta

    from tests.builders import analysis, mention
    from tests.builders import page as page_of

    page = open_desk(open_page)
    before = [row.get_attribute("id") for row in page.locator(ROWS).all()]
    now = utc_now()
    said = mention("urgent", "Au secours", who="eve", network="facebook", created_at=now - timedelta(days=2))
    shop.store.mentions.add_page("demo", page_of(said), now)
    with shop.store.mentions.unanalyzed(10) as backlog:
        backlog.save([analysis(m.id, "product_defect", "negative", urgency=3) for m in backlog.mentions], now)
    shop.store.cases.route(10, now, lambda _case, _item, _person: ())
    bar = page.locator(".st-key-desk_list .fresh")
    expect(bar).to_contain_text("1 nouvelle")
    after = [row.get_attribute("id") for row in page.locator(ROWS).all()]
    assert after == before[: len(after)] and len(after) >= len(before) - 1  # a full page gives its last row away
    bar.click()
    expect(page.locator(ROWS).filter(has_text="Au secours")).to_have_count(1)
