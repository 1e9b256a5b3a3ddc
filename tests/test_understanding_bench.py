"""The benchmark of understanding itself: its messages, its processes, its picture. No speed is judged here."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import understanding
from benchmarks.picture import draw
from benchmarks.systems import SYSTEMS


def test_without_data_the_demo_story_stands_in_and_it_says_so(tmp_path: Path) -> None:
    texts, told = understanding.messages(tmp_path / "nowhere")
    assert len(set(texts)) == len(texts) == 192
    assert "demo story" in told
    assert "nowhere" in told
    assert understanding.messages(tmp_path / "nowhere") == (texts, told)


def test_real_messages_are_drawn_from_both_languages_without_repetition(tmp_path: Path) -> None:
    for lang, name in understanding.REAL.items():
        rows = [json.dumps({"text": f"{lang} {number % 150}"}) for number in range(300)]
        (tmp_path / name).write_text("\n".join([*rows, json.dumps({"text": " "})]), "utf-8")
    texts, told = understanding.messages(tmp_path)
    assert len(set(texts)) == 192
    assert [text[:2] for text in texts] == ["fr", "en"] * 96
    assert "192 real messages" in told


def test_a_served_system_tags_all_messages_and_tells_its_own_memory() -> None:
    lexicon = next(system for system in SYSTEMS if system.key == "lexicon")
    found = understanding.measure([lexicon], ["Colis perdu", "Thanks a lot"], 1, Path())["lexicon"]
    assert len(found.first_tag) == lexicon.starts
    assert len(found.speeds) == 1
    assert found.speeds[0] > 0
    assert 10 < found.peak_mb < 300
    assert found.ratios == []


def test_a_system_that_dies_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = understanding.System("no such system", "Broken", SYSTEMS[0].ready)
    with pytest.raises(RuntimeError, match="no such system"):
        understanding.measure([broken], ["Colis perdu"], 1, Path())


def test_ratios_are_taken_round_by_round(monkeypatch: pytest.MonkeyPatch) -> None:
    speeds = {"embedded": [100.0, 300.0, 90.0], understanding.PIPELINE: [10.0, 20.0, 10.0]}

    class Served:
        first_tag = 1.0

        def __init__(self, system: understanding.System, *_: object) -> None:
            self._told = iter(speeds[system.key])

        def round(self) -> dict[str, float]:
            return {"count": next(self._told), "seconds": 1.0, "cpu_seconds": 2.0, "mb": 5.0}

        def close(self) -> None:
            pass

    monkeypatch.setattr(understanding, "Served", Served)
    chosen = [system for system in SYSTEMS if system.key in speeds]
    found = understanding.measure(chosen, [], 3, Path())
    assert found["embedded"].ratios == [10.0, 15.0, 9.0]
    assert found["embedded"].cpu_ratios == [10.0, 15.0, 9.0]
    assert found["embedded"].cpu_speeds == [50.0, 150.0, 45.0]
    assert found[understanding.PIPELINE].ratios == [1.0, 1.0, 1.0]


def test_the_picture_holds_every_system_and_longer_bars_for_faster_ones() -> None:
    rows = {
        "embedded": {
            "title": "Ours & more",
            "speeds": [400.0, 500.0, 300.0],
            "ratios": [20.0, 25.0, 18.0],
            "peak_mb": 240.0,
        },
        "pipeline-32": {"title": "Theirs", "speeds": [20.0], "ratios": [1.0], "peak_mb": 1900.0},
    }
    root = ElementTree.fromstring(draw(rows))
    said = [text.text or "" for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"Ours & more", "Theirs"} <= set(said)
    assert any(line.startswith("400/s · ×20.0 · 240 MB") for line in said)
    bars = [float(bar.attrib["width"]) for bar in list(root.iter("{http://www.w3.org/2000/svg}rect"))[1:]]
    assert bars == sorted(bars, reverse=True)
    assert len(set(bars)) == 2
