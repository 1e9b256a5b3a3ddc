"""The last mile on our own labels: five networks that each leave two folds out, and the one that is shipped.

All start from one network that has seen none of our real labels (`fit --without-ours`, or a distilled student of it). The
five give an honest answer to every real message of ours: on these answers temperatures, thresholds and the hearing of rare
classes are chosen, and, fold by fold on the answers of the others, the reported figures too. The shipped network learns all
folds but the gold one, which stays for ever unseen and travels with the weights as vectors (gold.npz).
"""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from nlp.folds import FOLDS
from nlp.train import fit, ours, score
from nlp.train.data import Part, Row, load, without_leaks
from nlp.train.distil import Teacher
from nlp.train.model import Network, restore
from nlp.train.run import Settings, resume, start
from nlp.train.tokens import load_tokenizer

_log = logging.getLogger(__name__)
PARTS = 5
GOLD_FOLD = 0
FINAL = "final"
# Rows drawn in one pass, as a share: about two fifths real labels of ours, a fifth written ones, the rest so that nothing is
# forgotten.
SHARES = {
    "ours_freemobile_fr": 1.6, "ours_trustpilot_fr_ecommerce": 2.4, "ours_complaints_en": 2.6, "written": 0.9,
    "umsab": 0.15, "tweeteval": 0.04, "airline": 0.03, "brand": 0.03, "trustpilot_services": 0.2, "books": 0.02,
    "intents": 0.02, "absa": 0.01, "irony": 0.1, "offensive": 0.02, "toxic_de": 0.015,
}  # fmt: skip


def rows_for(folder: Path, held: frozenset[int]) -> list[Row]:
    """Every row, with our folds `held` as test and the others as train; nothing held stands among what is learnt."""
    mine = [replace(row, part=Part.TEST if fold in held else Part.TRAIN) for fold, row in ours.by_fold(folder)]
    public = [row for row in load(folder) if not row.source.startswith("ours")]
    return without_leaks([*mine, *public])


def held_folds(part: int) -> frozenset[int]:
    """The folds that network number `part` leaves out."""
    size = FOLDS // PARTS
    return frozenset(range(part * size, (part + 1) * size))


def one(
    begin: Network, rows: Sequence[Row], base: Path, out: Path, settings: Settings, teacher: Teacher | None = None
) -> Network:
    """Fine-tune from `begin`; done already where the folder holds a network."""
    done = out / "network.pt"
    if not done.exists():
        out.mkdir(parents=True, exist_ok=True)
        network = Network(begin.sizes)
        network.load_state_dict(begin.state_dict())
        torch.manual_seed(settings.seed)
        run = start(settings, network)
        if resume(run, out):
            _log.info("%s: going on from step %d", out.name, run.step)
        fit.fit(run, rows, load_tokenizer(base), out, measure_every=10**9, shares=SHARES, teacher=teacher)
    return restore(done)


def crossfit(begin: Network, data: Path, base: Path, out: Path, settings: Settings) -> None:
    """Fill `out`: a folder a part with its network and the answers on what it left out (oof.npz), and `final`."""
    tokenizer = load_tokenizer(base)
    for part in range(PARTS):
        folder = out / f"part_{part}"
        if (folder / "oof.npz").exists():
            continue
        rows = rows_for(data, held_folds(part))
        network = one(begin, rows, base, folder, settings)
        held = [row for row in rows if row.part is Part.TEST and row.source.startswith("ours")]
        logits = fit.predict(network, tokenizer, held)
        np.savez_compressed(folder / "oof.npz", logits=logits)
        intents = {key: value["macro_f1"] for key, value in score.report(held, logits).items() if "intent" in key}
        _log.info("part %d: %s", part, intents)
    # The shipped one also asks `begin` for the sentiment of public rows, so that what it knows of other talk is not lost.
    kept = Teacher(begin, heads=frozenset({"sentiment"}), partly=True)
    one(begin, rows_for(data, frozenset({GOLD_FOLD})), base, out / FINAL, settings, kept)


def answers(data: Path, out: Path) -> tuple[list[Row], score.Logits, np.ndarray]:
    """Our real messages, the answer to each of the network that never saw it, and which network that was."""
    rows: list[Row] = []
    logits, parts = [], []
    mine = list(ours.by_fold(data))
    for part in range(PARTS):
        held = [replace(row, part=Part.TEST) for fold, row in mine if fold in held_folds(part)]
        found = np.load(out / f"part_{part}" / "oof.npz")["logits"]
        if len(found) != len(held):
            raise ValueError(f"part {part} holds {len(found)} answers for {len(held)} messages. Run crossfit again.")
        rows += held
        logits.append(found)
        parts += [part] * len(held)
    return rows, np.concatenate(logits), np.asarray(parts)


def main() -> None:
    """Fine-tune on our labels: five networks for the figures, one to ship; goes on where an earlier call stopped."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--start", type=Path, required=True, help="network.pt that saw none of our real labels")
    parser.add_argument("--base", type=Path, required=True, help="folder with the tokenizer")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--rate", type=float, default=7e-5)
    parser.add_argument("--bf16", action="store_true")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    begin = restore(arguments.start)
    settings = Settings(
        steps=arguments.steps, rate=arguments.rate, warmup=40, cooldown=0.7, average=0.98, bf16=arguments.bf16,
        layers=tuple(range(len(begin.layers))),
    )  # fmt: skip
    crossfit(begin, arguments.data, arguments.base, arguments.out, settings)
    _log.info("done: %s", arguments.out)


if __name__ == "__main__":
    main()
