"""The whole recipe in one command, `python -m nlp.train DATA OUT` (`make train`): STEPS, in order, each with what it takes.

A step whose result is there is not done again, and a step that was interrupted goes on where it stopped. Processor hours were
measured on two cores with AMX (`--bf16`); without bfloat16 count three times as much for the fine-tuning ones.
"""

import argparse
import logging
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_log = logging.getLogger(__name__)
VERSION = "1.0"
TEACHER_LAYERS = tuple(range(12))
STUDENT_LAYERS = (0, 1, 2, 3, 5, 6, 7, 9, 10, 11)  # without the fifth and the ninth


@dataclass(frozen=True, slots=True)
class Step:
    """One command of the recipe.

    Attributes:
        arguments: with ``{data}`` and ``{out}``.
        result: what it leaves in the folder when it is done.
        minutes: of processor time.
    """

    title: str
    module: str
    arguments: tuple[str, ...]
    result: str
    minutes: int


def _layers(layers: tuple[int, ...]) -> tuple[str, ...]:
    return ("--layers", *map(str, layers))


STEPS: tuple[Step, ...] = (
    Step("base weights, pruned", "prune", ("--data", "{data}", "--out", "{out}/base"), "base/model.safetensors", 3),
    Step(
        "the teacher, twelve layers",
        "fit",
        ("--base", "{out}/base", "--data", "{data}", "--out", "{out}/teacher", "--steps", "2800", "--rate", "1e-4",
         *_layers(TEACHER_LAYERS), "--bf16"),
        "teacher/network.pt",
        31,
    ),
    Step(
        "the student, ten layers, distilled",
        "fit",
        ("--base", "{out}/base", "--data", "{data}", "--out", "{out}/student", "--steps", "600", "--rate", "7e-5",
         *_layers(STUDENT_LAYERS), "--teacher", "{out}/teacher/network.pt", "--bf16"),
        "student/network.pt",
        9,
    ),
    Step(
        "our own messages: five networks for the figures, one to ship",
        "crossfit",
        ("--start", "{out}/student/network.pt", "--base", "{out}/base", "--data", "{data}", "--out", "{out}/cross",
         "--steps", "600", "--bf16"),
        "cross/final/network.pt",
        40,
    ),
    Step(
        "eight bits, checks, calibration",
        "export",
        ("--crossfit", "{out}/cross", "--base", "{out}/base", "--data", "{data}", "--out", "{out}/weights",
         "--version", VERSION),
        "weights/card.md",
        3,
    ),
    Step("the bars to beat", "baselines", ("--data", "{data}", "--out", "{out}/baselines.json"), "baselines.json", 3),
)  # fmt: skip


def main() -> None:
    """Make the weights; the test parts are then measured by hand, once: python -m nlp.train.measure."""
    parser = argparse.ArgumentParser(prog="python -m nlp.train", description=main.__doc__)
    parser.add_argument("data", type=Path, help="folder of the labelled sets")
    parser.add_argument("out", type=Path, help="folder that is filled")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    total = sum(step.minutes for step in STEPS)
    _log.info("About %.1f processor hours in all; interrupt whenever you like.", total / 60)
    for step in STEPS:
        if (arguments.out / step.result).exists():
            _log.info("there already: %s", step.title)
            continue
        _log.info("%s (about %d processor minutes)", step.title, step.minutes)
        began = time.monotonic()
        words = [word.format(data=arguments.data, out=arguments.out) for word in step.arguments]
        done = subprocess.run([sys.executable, "-m", f"nlp.train.{step.module}", *words], check=False)  # noqa: S603
        if done.returncode:
            raise SystemExit(f"“{step.title}” did not come to its end. Mend it and start again: what is done stays.")
        _log.info("done in %.0f min", (time.monotonic() - began) / 60)
    _log.info("The weights are in %s. Measure them once: python -m nlp.train.measure --help", arguments.out / "weights")


if __name__ == "__main__":
    main()
