"""Numbers in words: periods, changes, chance, small samples, sentences, titles, openings; sources and sendings."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dashboard.i18n import catalogue, set_language, told
from dashboard.views_days import counts_by_day, days_title, episodes, scope_of, smoothed
from dashboard.views_indicators import ENOUGH, before, card, change_text, help_lines, value_text
from dashboard.views_openings import (
    QueueState,
    drill_row,
    opening_of,
    part_text,
    queue_cards,
    queue_rows,
    quote,
    ranked,
)
from dashboard.views_sentences import LEADS, QUESTIONS, Facts, department_sentence, sentence, words
from dashboard.views_sources import (
    again_word,
    facts_line,
    health,
    outbox_counts,
    reject_line,
    sending_lines,
    sending_title,
    summary,
    worker_sign,
)
from dashboard.views_titles import episodes_sentence, top_title, trend_title, volume_title, where_title
from dashboard.views_today import today_sentence
from domain.departments import DEPARTMENT_BY_KEY, DEPARTMENTS
from store.indicators import INDICATOR_BY_KEY, INDICATORS, DrillRow, Part, Reading, Scope, Spike, Verbatim, VolumeRow
from store.mentions import RejectRow
from store.outbox import OutboxRow, OutboxState
from store.sources import Source, SourceState

PARIS = ZoneInfo("Europe/Paris")
TODAY = date(2026, 3, 10)
NOW = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)
WEEK = Scope(TODAY - timedelta(days=6), TODAY + timedelta(days=1))
NARROW, WIDE = "\u202f", "\u00a0"


def reading(key: str, value: float | None, n: int = 100, **fields: object) -> Reading:
    values: dict[str, object] = {"previous": None, "previous_n": 0, "by_chance": False, "series": ()}
    return Reading(key, value, n, **{**values, **fields})  # type: ignore[arg-type]


def spaces(text: str) -> str:
    """Any kind of space as a plain one."""
    return text.replace(NARROW, " ").replace(WIDE, " ")


# -- periods ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choice", "custom", "first", "last"),
    [
        ("7", (), date(2026, 3, 4), TODAY),
        ("40", (), date(2026, 1, 30), TODAY),
        ("custom", (date(2026, 3, 5), date(2026, 3, 1)), date(2026, 3, 1), date(2026, 3, 5)),
        ("custom", (date(2026, 3, 5), date(2026, 4, 1)), date(2026, 3, 5), TODAY),
        ("custom", (date(2026, 3, 5),), date(2026, 3, 4), TODAY),
        ("forever", (), date(2026, 3, 4), TODAY),
    ],
)
def test_period(choice: str, custom: tuple[date, ...], first: date, last: date) -> None:
    assert scope_of(choice, custom, TODAY) == (first, last + timedelta(days=1))


def test_days_in_words() -> None:
    assert days_title(date(2026, 11, 3), date(2026, 11, 3)) == "3 nov."
    assert days_title(date(2026, 11, 3), date(2026, 11, 7)) == "3–7 nov."
    assert days_title(date(2026, 10, 28), date(2026, 11, 3)) == "28 oct.–3 nov."
    count, stock = INDICATOR_BY_KEY["mentions"], INDICATOR_BY_KEY["open_cases"]
    assert spaces(before(WEEK, count)) == "les 7 jours d'avant"
    assert spaces(before(WEEK, stock)) == "7 jours plus tôt"
    assert before(Scope(TODAY, TODAY + timedelta(days=1)), count) == "la veille"


# -- values and changes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("mentions", 1204, "1 204"),
        ("negative_share", 0.382, "38 %"),
        ("first_reply_median", 72, "1 h 12"),
        ("average_rating", 4.24, "4,2 sur 5"),
        ("revenue_at_risk", 15210.4, "15 210 €"),
        ("net_sentiment", -0.223, "−0,22"),
        ("net_sentiment", 0.0, "0,00"),
        ("delivery_contact_rate", 38.44, "38,4"),
        ("estimated_reach", 1_234_567, "1,2 M"),
    ],
)
def test_value_in_french(key: str, value: float, text: str) -> None:
    assert spaces(value_text(INDICATOR_BY_KEY[key], value)) == text


@pytest.mark.parametrize(
    ("key", "value", "previous", "text"),
    [
        ("mentions", 120, 100, "+20 %"),
        ("mentions", 90, 100, "−10 %"),
        ("mentions", 210, 100, "× 2,1"),
        ("mentions", 7, 3, "+4"),
        ("mentions", 3, 0, "+3"),
        ("negative_share", 0.41, 0.38, "+3 points"),
        ("negative_share", 0.37, 0.38, "−1 point"),
        ("first_reply_median", 40, 58, "−18 min"),
        ("average_rating", 4.2, 4.4, "−0,2"),
        ("negative_share", 0.381, 0.382, ""),
        ("mentions", 100, 100, ""),
    ],
)
def test_change(key: str, value: float, previous: float, text: str) -> None:
    assert spaces(change_text(INDICATOR_BY_KEY[key], value, previous)) == text


def test_numbers_follow_the_language() -> None:
    set_language("en")
    assert value_text(INDICATOR_BY_KEY["mentions"], 1204) == "1,204"
    assert value_text(INDICATOR_BY_KEY["average_rating"], 4.24) == "4.2 out of 5"


# -- cards -----------------------------------------------------------------------------------------------------------------


def test_no_data_is_said_and_is_not_zero() -> None:
    made = card(INDICATOR_BY_KEY["reply_rate"], reading("reply_rate", None, 0), WEEK)
    assert (made.value, made.quiet, made.opens, made.spark) == ("aucune donnée", True, "", ())


def test_a_share_of_few_is_no_share() -> None:
    few = card(
        INDICATOR_BY_KEY["negative_share"], reading("negative_share", 0.43, 7, previous=0.1, previous_n=90), WEEK
    )
    assert (few.value, few.note, few.quiet) == ("7 messages", "trop peu pour conclure", True)
    assert few.opens == "negative_share" and few.change == ""
    enough = card(INDICATOR_BY_KEY["negative_share"], reading("negative_share", 0.43, ENOUGH), WEEK)
    assert spaces(enough.value) == "43 %"


def test_a_count_of_few_is_still_a_count() -> None:
    assert card(INDICATOR_BY_KEY["praise_count"], reading("praise_count", 3.0, 3), WEEK).value == "3"


def test_a_change_that_may_be_chance_says_so_and_has_no_colour() -> None:
    moved = reading("negative_share", 0.5, 200, previous=0.4, previous_n=200)
    real = card(INDICATOR_BY_KEY["negative_share"], moved, WEEK)
    luck = card(INDICATOR_BY_KEY["negative_share"], replace(moved, by_chance=True), WEEK)
    assert (real.tone, real.doubt) == ("bad", "")
    assert (luck.tone, luck.doubt) == ("", "peut-être le hasard")
    assert spaces(real.past) == "contre 40 % les 7 jours d'avant"


@pytest.mark.parametrize(
    ("key", "value", "previous", "tone"),
    [("reply_rate", 0.9, 0.5, "good"), ("first_reply_median", 30, 60, "good"), ("mentions", 90, 60, "")],
)
def test_tone_follows_what_is_better(key: str, value: float, previous: float, tone: str) -> None:
    made = card(INDICATOR_BY_KEY[key], reading(key, value, 90, previous=previous, previous_n=90), WEEK)
    assert made.tone == tone


def test_too_small_a_past_is_not_compared() -> None:
    made = card(INDICATOR_BY_KEY["sla_share"], reading("sla_share", 0.5, 90, previous=1.0, previous_n=4), WEEK)
    assert (made.change, made.past) == ("", "trop peu avant pour comparer")


def test_only_the_first_reply_has_the_departments_target() -> None:
    logistics = DEPARTMENT_BY_KEY["logistics"]
    with_target = card(INDICATOR_BY_KEY["first_reply_median"], reading("first_reply_median", 90), WEEK, logistics)
    assert with_target.target == 120 and spaces(with_target.target_text) == "cible 2 h ouvrées"
    assert card(INDICATOR_BY_KEY["sla_share"], reading("sla_share", 0.5), WEEK, logistics).target is None


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_every_indicator_explains_itself(lang: str) -> None:
    set_language(lang)
    for indicator in INDICATORS:
        lines = dict(help_lines(indicator, reading(indicator.key, 1.0)))
        assert len(lines) == 5 and all(lines.values())
        assert indicator.formula(lang) in lines.values() and indicator.population(lang) in lines.values()
        assert card(indicator, reading(indicator.key, 1.0, 90), WEEK).value


# -- days ------------------------------------------------------------------------------------------------------------------


def test_rates_are_smoothed_by_their_samples_and_counts_are_not() -> None:
    days = [TODAY - timedelta(days=13 - i) for i in range(14)]
    series = tuple((day, 1.0 if i == 13 else 0.0, 30 if i == 13 else 10) for i, day in enumerate(days))
    share = smoothed(INDICATOR_BY_KEY["negative_share"], reading("negative_share", 0.2, series=series))
    assert share[-1][0] == TODAY and share[-1][1] == pytest.approx(30 / 90)
    counts = smoothed(INDICATOR_BY_KEY["mentions"], reading("mentions", 1.0, series=series))
    assert counts == [(day, value) for day, value, _ in series]
    short = smoothed(INDICATOR_BY_KEY["negative_share"], reading("negative_share", 0.2, series=series[-7:]))
    assert short[-1] == (TODAY, 1.0)


def test_days_without_rows_are_gaps() -> None:
    series = tuple((TODAY - timedelta(days=13 - i), None, 0) for i in range(14))
    found = smoothed(INDICATOR_BY_KEY["defect_rate"], reading("defect_rate", None, 0, series=series))
    assert all(value is None for _, value in found)


def spike(day: int, value: int, network: str = "", intent: str = "", expected: float = 5.0) -> Spike:
    return Spike(date(2026, 3, day), network, intent, value, expected, 2 * expected)


def test_loud_days_of_one_subject_are_one_episode() -> None:
    found = episodes([spike(3, 20), spike(4, 30), spike(5, 22), spike(8, 12, intent="product_defect")])
    assert [(e.first.day, e.last.day, e.peak.value) for e in found] == [(3, 5, 30), (8, 8, 12)]


def test_what_a_louder_episode_covers_is_left_out() -> None:
    found = episodes([spike(3, 40), spike(3, 20, network="x"), spike(4, 9, network="x")])
    assert [(e.first.day, e.peak.network) for e in found] == [(3, "")]
    assert len(episodes([spike(day, 20) for day in (1, 3, 5, 7, 9)], most=4)) == 4


def test_volume_starts_where_something_is_known() -> None:
    rows = [
        VolumeRow("2026-03-08", "negative", 3),
        VolumeRow("2026-03-09", "", 2),
        VolumeRow("2026-03-06", "negative", 0),
    ]
    days, counts = counts_by_day(rows, WEEK, TODAY)
    assert [day.day for day in days] == [8, 9, 10]
    assert counts["negative"] == [3, 0, 0] and counts[""] == [0, 2, 0] and counts["positive"] == [0, 0, 0]
    assert counts_by_day([], WEEK, TODAY) == ([], {})


# -- sentences -------------------------------------------------------------------------------------------------------------


def facts(department: str, *found: Reading, **fields: object) -> Facts:
    return Facts(department, WEEK, {r.key: r for r in found}, **fields)  # type: ignore[arg-type]


def test_the_logistics_sentence() -> None:
    rate = reading("delivery_contact_rate", 38.0, 1200, previous=19.0, previous_n=1200)
    late = reading("late_order_share", 0.22, 300, previous=0.1, previous_n=300)
    parts = (Part("transvia", 80.0, 400), Part("colivert", 12.0, 500), Part("tiny", 900.0, 3))
    loud = episodes([spike(3, 40)])
    made = department_sentence(facts("logistics", rate, late, parts=parts, by="carrier", episodes=loud))
    assert spaces(words(made)) == (
        "38,0 plaintes de livraison pour 1 000 commandes, 2 fois plus que les 7 jours d'avant, surtout : Transvia (80,0) ; "
        "22 % des commandes en ligne sont en retard, contre 10 % les 7 jours d'avant ; "
        "jour le plus agité : mardi 3 mars, 40 messages pour 5 attendus (tous réseaux)."
    )
    assert [piece.opens for piece in made if piece.opens] == [
        "delivery_contact_rate",
        "late_order_share",
        "day:2026-03-03",
    ]


def test_a_change_that_may_be_chance_is_doubted_in_the_sentence() -> None:
    made = department_sentence(facts("marketing", reading("mentions", 130.0, previous=100.0, by_chance=True)))
    assert "30 % de plus que les 7 jours d'avant (peut-être le hasard)" in spaces(words(made))
    sure = department_sentence(facts("marketing", reading("mentions", 130.0, previous=100.0)))
    assert "hasard" not in words(sure)


def test_clauses_without_data_are_left_out() -> None:
    few = reading("sla_share", 0.5, 7)
    made = words(
        department_sentence(facts("management", reading("mentions", 12.0, 12), few, reading("revenue_at_risk", None)))
    )
    assert made == "12 messages entendus."


@pytest.mark.parametrize("department", [d.key for d in DEPARTMENTS])
@pytest.mark.parametrize("lang", ["fr", "en"])
def test_every_department_answers_with_and_without_data(department: str, lang: str) -> None:
    set_language(lang)
    keys = {*DEPARTMENT_BY_KEY[department].indicators, LEADS[department][0]}
    full = [reading(key, 0.6, 90, previous=0.3, previous_n=90) for key in keys]
    queue = QueueState(department, 9, 4, 2, NOW - timedelta(days=2))
    answered = department_sentence(facts(department, *full, queue=queue, episodes=episodes([spike(3, 40)])))
    assert not words(answered)[0].islower()
    assert words(answered).endswith(".") and any(piece.opens for piece in answered)
    assert not any(sign in words(answered) for sign in "\ue000\ue001\ue002{}")
    silent = department_sentence(facts(department))
    assert len(silent) == 1 and silent[0].opens == ""


def test_each_department_has_its_question_and_its_lead() -> None:
    assert set(QUESTIONS) == set(LEADS) == {d.key for d in DEPARTMENTS}
    for key, by in LEADS.values():
        assert by in INDICATOR_BY_KEY[key].dimensions


def test_a_sentence_starts_with_a_capital_and_ends_once() -> None:
    assert words(sentence(["", "deux mots", "trois"])) == "Deux mots\u00a0; trois."
    assert sentence([""]) == []


def test_today() -> None:
    queues = [
        QueueState("logistics", 9, 3, 4, NOW - timedelta(hours=50)),
        QueueState("finance", 2, 0, 1, NOW - timedelta(hours=1)),
    ]
    made = today_sentence(
        reading("mentions", 63.0, 63), reading("negative_share", 28 / 63, 63), 40.4, queues, None, NOW
    )
    assert spaces(words(made)) == (
        "Aujourd'hui 63 messages jusqu'ici (un jour ordinaire : 40), dont 28 négatifs ; 3 conversations en retard et "
        "5 conversations que personne n'a prises ; la plus ancienne attend depuis 2 j 2 h ; c'est Logistique qui a le plus "
        "de retard."
    )


def test_a_silent_day_says_when_something_was_last_heard() -> None:
    silent = reading("mentions", 0.0, 0)
    made = today_sentence(silent, reading("negative_share", None, 0), None, [], date(2026, 3, 7), NOW)
    assert words(made) == "Aucun message aujourd'hui, le dernier date du samedi 7 mars."
    never = today_sentence(silent, reading("negative_share", None, 0), None, [], None, NOW)
    assert "les sources disent pourquoi" in words(never)


# -- titles ----------------------------------------------------------------------------------------------------------------


def test_titles_say_the_message() -> None:
    days = [date(2026, 3, 8), date(2026, 3, 9)]
    counts = {"negative": [3, 9], "neutral": [1, 1]}
    assert volume_title(days, counts, []) == "14 messages en 2 jours, sans jour hors de l'ordinaire"
    assert volume_title(days, counts, episodes([spike(9, 10)])) == "14 messages en 2 jours, jusqu'à 10 le 9 mars"
    assert top_title("Où on parle", [("X", 30), ("Avis", 10)]) == "Où on parle : X d'abord, 75\u202f% des messages"
    assert top_title("Où on parle", []) == "Où on parle"


def test_title_of_a_trend() -> None:
    median = INDICATOR_BY_KEY["first_reply_median"]
    moved = reading("first_reply_median", 90.0, previous=60.0, previous_n=50, by_chance=True)
    assert spaces(trend_title(median, moved, WEEK)) == (
        "Première réponse (médiane) : 1 h 30, contre 1 h les 7 jours d'avant (peut-être le hasard)"
    )
    assert trend_title(median, reading("first_reply_median", None, 0), WEEK) == "Première réponse (médiane)"


def test_title_of_a_breakdown_names_the_worst_part_that_is_founded() -> None:
    parts = (Part("lille", 4.5, 80), Part("nantes", 2.1, 40), Part("tours", 1.0, 2))
    made = where_title(facts("stores_sales", parts=parts, by="store"), "average_rating")
    assert spaces(made) == "Note moyenne, par boutique : Nantes au plus bas, 2,1 sur 5"
    assert where_title(facts("stores_sales", by="store"), "average_rating") == "Note moyenne, par boutique"


def test_marked_days_are_numbered_and_the_rule_is_said() -> None:
    made = episodes_sentence(episodes([spike(3, 40), spike(8, 30), spike(9, 31)]))
    text = spaces(words(made))
    assert "① 3 mars : tous réseaux, 40 messages pour 5 attendus" in text
    assert "② 8–9 mars : tous réseaux, jusqu'à 31 messages par jour pour 5 attendus" in text
    assert "moyenne des 7 jours d'avant de plus de 2 écarts types" in text
    assert [p.opens for p in made if p.opens] == ["day:2026-03-03", "day:2026-03-09"]


# -- openings --------------------------------------------------------------------------------------------------------------


def test_what_tokens_open() -> None:
    scope = replace(WEEK, departments=("logistics",))

    def opened(token: str, lead: str = "defect_rate", by: str = "product") -> object:
        return opening_of(token, scope, TODAY, lead, by)  # type: ignore[arg-type]

    rows = opening_of("sla_share", scope, TODAY)
    assert rows is not None and (rows.indicator, rows.scope) == ("sla_share", scope)
    today = opening_of("today:negative", scope, TODAY)
    assert today is not None and today.indicator == "negative_share"
    assert today.scope == replace(scope, since=TODAY, until=TODAY + timedelta(days=1))
    day = opening_of("day:2026-03-05", scope, TODAY)
    assert day is not None and day.scope is not None and day.scope.since == date(2026, 3, 5)
    part = opening_of("part:vesuve", scope, TODAY, "defect_rate", "product")
    assert part is not None and part.scope is not None and part.scope.products == ("vesuve",)
    late = opening_of("late:logistics", scope, TODAY)
    assert late is not None and (late.page, dict(late.filters)) == ("desk", {"view": "late", "department": "logistics"})
    intent = opening_of("intent:refund_return", scope, TODAY)
    assert intent is not None and dict(intent.filters)["intent"] == "refund_return"
    assert dict(intent.filters)["until"] == "2026-03-10"
    page = opening_of("page:finance", scope, TODAY)
    assert page is not None and page.page == "finance"
    for nonsense in ("", "day:yesterday", "page:nowhere", "late:nowhere", "drop table", "what:ever"):
        assert opened(nonsense) is None
    assert opened("part:transvia", "delivery_contact_rate", "carrier") is None


def test_parts_are_ranked_bad_end_first_and_small_ones_last() -> None:
    parts = [Part("a", 0.2, 90), Part("b", 0.6, 50), Part("c", 0.9, 4), Part("d", None, 0)]
    share = INDICATOR_BY_KEY["negative_share"]
    assert [part.label for part in ranked(share, parts)] == ["b", "a", "c"]
    assert part_text(share, parts[2], "network") == "4 messages : trop peu pour conclure"
    assert spaces(part_text(share, parts[0], "network")) == "20 % · 90 messages"
    stars = [Part("lille", 4.5, 9), Part("nantes", 2.0, 9)]
    assert [part.label for part in ranked(INDICATOR_BY_KEY["average_rating"], stars)] == ["nantes", "lille"]
    assert part_text(INDICATOR_BY_KEY["delivery_contact_rate"], Part("t", 80.0, 4), "carrier").endswith("4 colis")


def test_a_row_says_what_it_adds() -> None:
    row = DrillRow("case", "c1", "c1", NOW, "x", "Léa", "Ligne un\n\n  Ligne deux\n", 72.0)
    made = drill_row(INDICATOR_BY_KEY["first_reply_median"], row, NOW, PARIS)
    assert (spaces(made["worth"]), made["text"], made["case_id"]) == ("1 h 12", "Ligne un\nLigne deux", "c1")
    late = drill_row(INDICATOR_BY_KEY["sla_share"], replace(row, value=0.0), NOW, PARIS)
    assert late["worth"] == "hors délai"
    event = drill_row(
        INDICATOR_BY_KEY["late_order_share"], replace(row, network="", case_id=None, value=1.0), NOW, PARIS
    )
    assert (event["where"], event["worth"], event["case_id"]) == ("Boutique en ligne", "en retard", "")


def test_a_verbatim_carries_its_tags() -> None:
    made = quote(Verbatim("x:1", None, NOW, "x", "", "Bravo", "positive", "praise_thanks"), NOW, PARIS)
    assert (made["who"], made["tag"], made["tone"]) == ("Sans nom", "Éloge et merci · + positif", "positive")


def test_queues_are_ordered_by_what_is_late() -> None:
    states = [QueueState("finance", 5, 0, 1, NOW), QueueState("logistics", 3, 2, 0, NOW - timedelta(days=3))]
    rows = queue_rows(states, NOW)
    assert [row[0].text for row in rows] == ["Logistique", "Finance"]
    assert [piece.opens for piece in rows[0]] == ["page:logistics", "open:logistics", "late:logistics", "", ""]
    empty = queue_rows([QueueState("finance", 0, 0, 0, None)], NOW)[0]
    assert [piece.text for piece in empty[1:]] == ["0", "0", "0", "—"]
    cards = queue_cards(QueueState("finance", 0, 0, 0, None), NOW)
    assert [c.opens for c in cards] == ["", "", "", ""] and cards[-1].value == "rien n'attend"


# -- sources ---------------------------------------------------------------------------------------------------------------


def source(state: SourceState = SourceState.OK, **fields: object) -> Source:
    values: dict[str, object] = {
        "key": "x",
        "collector": "x",
        "title": "X",
        "settings": {},
        "enabled": True,
        "polled": True,
        "cursor": None,
        "state": state,
        "mention_count": 12,
        "failure_count": 0,
        "retry_at": None,
        "last_started_at": NOW - timedelta(minutes=2),
        "last_ok_at": NOW - timedelta(minutes=2),
        "last_error_at": None,
        "last_error": None,
        "notes": [],
    }
    return Source(**{**values, **fields})  # type: ignore[arg-type]


def test_a_blocked_source_says_what_happened_what_is_kept_what_to_do() -> None:
    broken = source(
        SourceState.BLOCKED,
        last_error="The token has expired.",
        last_error_at=NOW - timedelta(hours=2),
        retry_at=NOW + timedelta(minutes=40),
    )
    found = health(broken, NOW)
    assert (found.word, found.can_retry) == ("Bloquée", True)
    told = {spaces(label): spaces(text) for label, text in found.lines}
    assert told["Ce qui s'est passé (il y a 2 h)"] == "The token has expired."
    assert told["Ce qui est gardé"] == "Les 12 messages déjà entendus sont gardés, et l'endroit où reprendre aussi."
    assert "Réessayer maintenant" in told["Ce qu'il faut faire"] and "dans 40 min" in told["Ce qu'il faut faire"]


def test_a_waiting_source_needs_nobody() -> None:
    found = health(source(SourceState.WAITING, failure_count=3, mention_count=0, last_error="no answer"), NOW)
    assert (
        spaces(dict(found.lines)["Ce qu'il faut faire"]) == "Rien : nouvel essai au prochain tour (3 essais manqués)."
    )
    assert "rien n'est perdu" in dict(found.lines)["Ce qui est gardé"]


def test_a_paused_source_is_paused_whatever_its_state() -> None:
    assert health(source(SourceState.BLOCKED, enabled=False), NOW).word == "En pause"


def test_all_sources_in_a_sentence() -> None:
    some = [source(), source(SourceState.BLOCKED), source(SourceState.WAITING), source(enabled=False)]
    assert summary(some) == "4 sources : 1 bloquée, 1 réessaie d'elle-même, 1 va bien, 1 en pause."
    assert summary([]) == ""


def test_the_worker_is_missed_only_when_it_should_have_come() -> None:
    assert not worker_sign([source()], NOW)[1]
    assert worker_sign([source(last_started_at=NOW - timedelta(hours=3))], NOW)[1]
    resting = source(last_started_at=NOW - timedelta(hours=3), retry_at=NOW + timedelta(hours=1))
    assert not worker_sign([resting], NOW)[1]
    assert worker_sign([source(last_started_at=None)], NOW)[1]
    assert not worker_sign([source(enabled=False, last_started_at=None)], NOW)[1]


def test_the_small_print_of_a_source() -> None:
    line = spaces(facts_line(source(retry_at=NOW + timedelta(minutes=5)), NOW))
    assert line == "12 messages entendus · dernière écoute réussie il y a 2 min · prochain essai dans 5 min"


def sending(state: OutboxState, kind: str = "reply", payload: dict[str, object] | None = None) -> OutboxRow:
    return OutboxRow(
        key="k",  # type: ignore[arg-type]
        kind=kind,
        target="x",
        case_id=None,
        mention_id=None,
        payload=payload or {"text": "Bonjour"},
        state=state,
        attempt_count=2,
        created_at=NOW - timedelta(hours=1),
        created_by="Awa",
        error="The network answered 403: no.",
    )


def test_a_doubtful_sending_warns_of_a_double() -> None:
    doubt, refused = sending(OutboxState.UNKNOWN), sending(OutboxState.REFUSED)
    assert again_word(doubt) == "Renvoyer quand même" and again_word(refused) == "Renvoyer"
    assert "double" in dict(sending_lines(doubt, NOW))["Ce qu'il faut faire"]
    assert "Rien n'est parti" in dict(sending_lines(refused, NOW))["Ce qui est gardé"]
    assert spaces(dict(sending_lines(refused, NOW))["Origine"]) == "Demandé par Awa il y a 1 h, 2 essais"


def test_titles_of_sendings() -> None:
    assert sending_title(sending(OutboxState.REFUSED)) == "Réponse vers x"
    assert sending_title(sending(OutboxState.REFUSED, "crm", {"kind": "forget", "fields": {}})) == "Effacement vers x"
    assert sending_title(sending(OutboxState.REFUSED, "crm", {"kind": "novelty", "fields": {}})) == "Fiche vers x"
    counts = outbox_counts({"sent": 3, "refused": 1})
    assert counts == "3 envois faits · 0 en route · 1 refusé · 0 à vérifier"


def test_what_sources_say_is_told_in_french() -> None:
    from collectors.demo import connect
    from domain.errors import ConfigurationError

    with pytest.raises(ConfigurationError) as raised:
        connect({})
    assert told(str(raised.value)).startswith("La source de démonstration a besoin du réglage")
    assert told("blog.example did not answer in time. It is tried again later.").startswith(
        "blog.example n'a pas répondu"
    )
    assert told("bad date: “31/02” is no date that can be read") == "date fausse : « 31/02 » n'est pas une date lisible"
    reject = RejectRow("s", "line 12", "the text is empty", "", NOW - timedelta(hours=1))
    assert spaces(reject_line(reject, NOW)) == "ligne 12 : le texte est vide (il y a 1 h)"
    set_language("en")
    assert told("the text is empty") == "the text is empty"


def test_english_is_complete_for_what_was_said_here() -> None:
    set_language("en")
    made = words(today_sentence(reading("mentions", 0.0, 0), reading("negative_share", None), None, [], None, NOW))
    assert made == "No message heard so far: the sources page says why."
    assert "{n} source" in catalogue("en")
