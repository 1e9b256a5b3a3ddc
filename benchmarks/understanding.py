"""Understanding: how fast, how large and how quickly ready, side by side with other systems on the same messages.

`python -m benchmarks.understanding [--data FOLDER] [--rounds N] [--out FOLDER]`. Each system of benchmarks/systems.py lives in
a process of its own; they work in turn, one at a time, so that what else the machine does hits all alike. Read the ratios.
"""

import argparse
import gzip
import importlib.util
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import IO, Any

from benchmarks.picture import draw, short
from benchmarks.systems import PIPELINE, ROOT, SYSTEMS, THREADS, System

PER_LANG = 96
REAL = {"fr": "freemobile_fr.jsonl", "en": "airline_sentiment.jsonl"}  # written to and about brands
ROUND_SECONDS = 0.5  # fast systems go on for so long; slow ones tag the messages once
PUBLISHED = {"fr": 70.5, "en": 68.5}  # XLM-R base fine-tuned on UMSAB: Barbieri et al. 2022, XLM-T


@dataclass
class Measured:
    """What was seen of one system.

    Attributes:
        speeds: messages a second, a round each.
        cpu_speeds: messages a processor-second: what a quiet machine would show, whatever else this one does.
        ratios, cpu_ratios: the same over the pipeline's of that round.
        first_tag: seconds from the start of a process to its first answer.
        macro_f1: language -> UMSAB test, where it is known; not measured here.
    """

    title: str
    speeds: list[float] = field(default_factory=list)
    cpu_speeds: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    cpu_ratios: list[float] = field(default_factory=list)
    first_tag: list[float] = field(default_factory=list)
    peak_mb: float = 0.0
    macro_f1: dict[str, float] = field(default_factory=dict)


def messages(data: Path) -> tuple[list[str], str]:
    """The same messages each time, French and English in turn, no text twice; and where they are from."""
    if all((data / name).exists() for name in REAL.values()):
        found = {lang: [str(json.loads(line)["text"]) for line in _lines(data / name)] for lang, name in REAL.items()}
        told = f"{2 * PER_LANG} real messages to and about brands: {' and '.join(REAL.values())}"
    else:
        found = {"fr": [], "en": []}
        for path in sorted((ROOT / "collectors" / "story").glob("*.threads.jsonl")):
            for thread in map(json.loads, _lines(path)):
                turns = [turn["text"] for turn in thread["turns"] if turn["by"] != "brand"]
                found.setdefault(thread["lang"], []).extend(turns)
        told = f"{2 * PER_LANG} messages of the demo story (there is no {data}): written for the demo, not real"
    dice = random.Random(20260310)
    drawn = [dice.sample(sorted({text for text in found[lang] if text.strip()}), PER_LANG) for lang in ("fr", "en")]
    return [text for pair in zip(*drawn, strict=True) for text in pair], told


def _lines(path: Path) -> Iterator[str]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        yield from (line for line in lines if line.strip())


class Served:
    """One system in its process; tags only while it is asked to."""

    def __init__(self, system: System, model: Path, texts: Sequence[str]) -> None:
        # Threads that wait asleep: on a machine with other work, torch would otherwise lose time to itself.
        waits = {"OMP_NUM_THREADS": str(THREADS), "OMP_WAIT_POLICY": "passive"}
        environment = {**os.environ, **waits, "HF_HUB_OFFLINE": "1"}
        words = [sys.executable, "-W", "ignore", "-m", "benchmarks.systems", system.key, str(model)]
        began = time.perf_counter()
        self._process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT,
            env=environment,
        )  # fmt: skip
        self._ask(list(texts))
        self.first_tag = time.perf_counter() - began

    def round(self) -> dict[str, float]:
        """Tags, seconds and peak memory of one round."""
        return self._ask({"seconds": ROUND_SECONDS})

    def _ask(self, what: Any) -> dict[str, float]:
        stdin, stdout = self._pipes()
        stdin.write(json.dumps(what) + "\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args} ended with {self._process.wait()}")
        told: dict[str, float] = json.loads(line)
        return told

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        return self._process.stdin, self._process.stdout

    def close(self) -> None:
        """End the process."""
        for pipe in self._pipes():
            pipe.close()
        self._process.wait()


def measure(systems: Sequence[System], texts: Sequence[str], rounds: int, model: Path) -> dict[str, Measured]:
    """Every system: starts first, then rounds in turn, each round beginning with another system."""
    found = {system.key: Measured(system.title) for system in systems}
    with ExitStack() as stack:
        served = {}
        for system in systems:
            for again in range(system.starts):
                one = Served(system, model, texts)
                found[system.key].first_tag.append(one.first_tag)
                if again == system.starts - 1:
                    served[system.key] = one
                    stack.callback(one.close)
                else:
                    one.close()
        for number in range(rounds):
            shift = number % len(systems)
            for system in [*systems[shift:], *systems[:shift]]:
                told = served[system.key].round()
                found[system.key].speeds.append(told["count"] / told["seconds"])
                found[system.key].cpu_speeds.append(told["count"] / told["cpu_seconds"])
                found[system.key].peak_mb = told["mb"]
    if PIPELINE in found:
        base = found[PIPELINE]
        for row in found.values():
            row.ratios = [mine / theirs for mine, theirs in zip(row.speeds, base.speeds, strict=True)]
            row.cpu_ratios = [mine / theirs for mine, theirs in zip(row.cpu_speeds, base.cpu_speeds, strict=True)]
    return found


def known_quality() -> dict[str, dict[str, float]]:
    """System -> language -> macro-F1 on UMSAB test: ours as measured when it was made, XLM-R's as published."""
    path = ROOT / "nlp" / "weights" / "figures.json"
    scores = json.loads(path.read_text("utf-8")).get("test", {}).get("scores", {}) if path.exists() else {}
    rows = {lang: scores.get(f"umsab/{lang}/sentiment") for lang in PUBLISHED}
    ours = {lang: round(100 * row["macro_f1"], 1) for lang, row in rows.items() if row}
    return {"embedded": ours, PIPELINE: PUBLISHED, "pipeline-1": PUBLISHED}


def machine() -> dict[str, Any]:
    """What it ran on, as far as it matters for the figures."""
    names = ("torch", "transformers", "onnxruntime", "tokenizers", "vaderSentiment")
    versions = {name: metadata.version(name) for name in names if importlib.util.find_spec(name)}
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {"cores": os.cpu_count(), "load": load, "python": platform.python_version(), **versions}


def is_busy(state: dict[str, Any]) -> bool:
    """Whether others were using all of it: absolute figures then say little."""
    return bool(state["load"] and state["load"] >= (state["cores"] or 1))


def shipped_model() -> str:
    """Name and version of the embedded model, as analyses are signed."""
    config = json.loads((ROOT / "nlp" / "weights" / "config.json").read_text("utf-8"))
    return f"{config['name']}@{config['version']}"


def print_table(found: dict[str, Measured]) -> None:
    """Medians, and the ratio's least and most."""
    speeds = f"{'messages/s':>11}{'x pipeline':>26}{'a cpu-second':>14}{'x':>7}"
    print(f"{'':58}{speeds}{'peak MB':>9}{'first tag s':>12}{'F1 fr / en':>13}")
    for row in found.values():
        ratio, cpu_ratio = "-", "-"
        if row.ratios:
            ratio = f"{short(statistics.median(row.ratios))} ({short(min(row.ratios))} to {short(max(row.ratios))})"
            cpu_ratio = short(statistics.median(row.cpu_ratios))
        quality = " / ".join(f"{row.macro_f1[lang]:.1f}" for lang in PUBLISHED if lang in row.macro_f1) or "-"
        speed, cpu_speed = short(statistics.median(row.speeds)), short(statistics.median(row.cpu_speeds))
        numbers = f"{speed:>11}{ratio:>26}{cpu_speed:>14}{cpu_ratio:>7}{row.peak_mb:9,.0f}"
        print(f"{row.title:58}{numbers}{statistics.median(row.first_tag):12.2f}{quality:>13}")


def main() -> None:
    """Measure, print a table; with --out, write it and its picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder of real messages")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, help="folder `docs`, to write benchmarks/ and pictures/ in")
    options, _ = parser.parse_known_args()
    texts, told = messages(options.data)
    systems = [system for system in SYSTEMS if all(map(importlib.util.find_spec, system.needs))]
    for system in (system for system in SYSTEMS if system not in systems):
        print(f"left out, {' or '.join(system.needs)} is not installed (`make bench-models`): {system.title}")
    before = machine()
    with tempfile.TemporaryDirectory() as name:
        if any(system.key == PIPELINE for system in systems):
            code = f"from benchmarks.systems import *; write_model(Path({name!r}))"
            subprocess.run(
                [sys.executable, "-W", "ignore", "-c", code], check=True, cwd=ROOT, stderr=subprocess.DEVNULL
            )
        found = measure(systems, texts, options.rounds, Path(name))
    for key, quality in known_quality().items():
        if key in found:
            found[key].macro_f1 = quality
    print(
        f"{told}; {options.rounds} rounds in turn, {THREADS} threads; load of the machine at the start: {before['load']}"
    )
    print_table(found)
    print(
        "F1: sentiment, UMSAB test, macro; Comptoir's as in nlp/weights/figures.json, XLM-R's as published; not measured here."
    )
    if options.out:
        rows = {key: asdict(row) for key, row in found.items()}
        kept = {"messages": told, "threads": THREADS, "model": shipped_model(), "machine": before, "systems": rows}
        target = options.out / "benchmarks" / "understanding.json"
        target.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", "utf-8")
        (options.out / "pictures" / "understanding-speed.svg").write_text(draw(rows, busy=is_busy(before)), "utf-8")


if __name__ == "__main__":
    main()
