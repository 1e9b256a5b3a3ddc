"""What the X source says to people has its French, and its facts have a date."""

from collections.abc import Iterator

import pytest

from collectors import x
from collectors.x_errors import PERMISSION, RENEW, refusal
from collectors.x_query import searches
from collectors.x_rules import ENTERPRISE_RULES, PRIVATE_RULES, RULES
from dashboard.i18n import set_language, told
from domain.contracts import Watch
from domain.errors import ConfigurationError
from tests.fakes import x_shapes as shapes
from tests.fakes.x import NOW, SETTINGS


@pytest.fixture(autouse=True)
def french() -> Iterator[None]:
    set_language("fr")
    yield
    set_language("")


def is_french(text: str) -> bool:
    return told(text) != text


@pytest.mark.parametrize("rule", [*RULES, *ENTERPRISE_RULES, *PRIVATE_RULES], ids=lambda rule: rule.key)
def test_every_reason_has_its_french(rule: object) -> None:
    reason: str = rule.reason  # type: ignore[attr-defined]
    assert is_french(reason)
    led_there = told(f"{reason} Answer there: https://x.com/1")
    assert led_there == f"{told(reason)} Répondez là-bas : https://x.com/1"


def test_advice_inside_a_sentence_is_french_too() -> None:
    for advice in (PERMISSION, RENEW):
        assert is_french(advice)
        assert told(f"The keys of the X source may only do “read”. {advice}").endswith(told(advice))


@pytest.mark.parametrize("status", [402, 429, 403, 503, 400, 404])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_refusals_are_french(status: int, method: str) -> None:
    from datetime import timedelta

    import httpx

    from collectors.api_client import Answer

    for detail in ("duplicate content", "summoned", "permission", "Your account is locked.", "else"):
        data = {"detail": detail, "type": "about:blank"}
        answer = Answer(status, httpx.Headers(), data, timedelta(), method, "/2/tweets/search/recent", method == "POST")
        error = refusal(answer, NOW)
        assert error is None or is_french(str(error)), error


def test_remarks_and_rejects_are_french() -> None:
    for body in shapes.ALL:
        mapped = x.map_answer(body)
        assert all(is_french(note) for note in mapped.notes), mapped.notes
        assert all(is_french(reject.reason) for reject in mapped.rejects), mapped.rejects
    assert is_french(searches(Watch(query="lang:fr"), "ormelune").problem)


@pytest.mark.parametrize(
    "changes",
    [
        {"account": ""},
        {"account": "é"},
        {"consumer_key": ""},
        {"plan": "a"},
        {"context": "a"},
        {"follow": "a"},
        {"archive": "yes", "bearer_token": ""},
    ],
)
def test_complaints_about_settings_are_french(changes: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        x.connect({**SETTINGS, **changes})
    assert is_french(str(caught.value))


def test_the_spec_is_complete() -> None:
    spec = x.SPEC
    assert all((spec.reads, spec.answers, spec.access, spec.limits, spec.retention, spec.facts, spec.permissions))
    assert spec.can_reply and spec.rehydrate_every is not None and spec.rehydrate_every.days == 1
    assert sum("2026" in fact for fact in spec.facts) >= 5
    secrets = {setting.key for setting in spec.settings if setting.secret}
    assert secrets == {"consumer_key", "consumer_secret", "access_token", "access_token_secret", "bearer_token"}
