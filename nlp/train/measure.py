"""What an artefact reaches on held-back rows: official test parts and the folds of our labels that it never saw.

To be run once, on the artefact that is to be shipped: choosing is done on val. Adds its figures to figures.json and to
the model card.
"""

import argparse
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nlp.train import card, score, tokens
from nlp.train.calibrate import Calibration, calibration_error, softmax
from nlp.train.data import Part, Row, load
from nlp.train.export import Runner
from nlp.train.heads import HEAD_BY_KEY, Kind, slices
from nlp.train.model import restore
from nlp.train.sources import SOURCES

_log = logging.getLogger(__name__)


def reported(rows: Sequence[Row]) -> list[Row]:
    """Test rows of the sets that are reported, and the held-back folds of our labels."""
    names = {source.key for source in SOURCES if source.reported}
    return [row for row in rows if row.part is Part.TEST and (row.source.startswith("ours") or row.source in names)]


def honesty(rows: Sequence[Row], logits: score.Logits, head: str) -> dict[str, float]:
    """Calibration error of a ONE head, and what abstaining on the least sure 15 % gains in accuracy."""
    places = [place for place, row in enumerate(rows) if head in row.targets]
    if HEAD_BY_KEY[head].kind is not Kind.ONE or not places:
        return {}
    known = [rows[place] for place in places]
    shares = softmax(logits[places][:, slices()[head]])
    sure = shares.max(axis=1)
    right = shares.argmax(axis=1) == np.asarray([row.targets[head] for row in known])
    kept = np.argsort(-sure, kind="stable")[: round(0.85 * len(sure))]
    return {
        "n": len(sure),
        "calibration_error": round(calibration_error(sure, right), 4),
        "accuracy": round(float(right.mean()), 4),
        "accuracy_of_surest_85_percent": round(float(right[kept].mean()), 4),
    }


def interval(rows: Sequence[Row], logits: score.Logits, head: str, draws: int = 500) -> tuple[float, float]:
    """95 % interval of macro-F1 by drawing rows again (bootstrap)."""
    places = np.asarray([place for place, row in enumerate(rows) if head in row.targets])
    dice = np.random.default_rng(1)
    found = []
    for _ in range(draws):
        again = places[dice.integers(0, len(places), len(places))]
        found.append(score.score([rows[place] for place in again], logits[again], head)["macro_f1"])
    return round(float(np.quantile(found, 0.025)), 4), round(float(np.quantile(found, 0.975)), 4)


def measure(rows: Sequence[Row], logits: score.Logits, config: Mapping[str, Any]) -> dict[str, Any]:
    """Scores, calibration and intervals.

    Args:
        logits: as the artefact gives them; its calibration is applied here.
        config: the artefact's settings.
    """
    calibration = Calibration(config["temperatures"], config["offsets"], config["thresholds"])
    logits = calibration.apply([row.lang for row in rows], logits)
    ours = [place for place, row in enumerate(rows) if row.source.startswith("ours")]
    own = [rows[place] for place in ours]
    found: dict[str, Any] = {"scores": score.report(rows, logits, config["thresholds"])}
    found["honesty"] = {
        **{f"ours/{head}": honesty(own, logits[ours], head) for head in ("sentiment", "intent", "urgency")},
        "all/sentiment": honesty(rows, logits, "sentiment"),
    }
    found["intervals"] = {}
    for lang in ("fr", "en"):
        places = [place for place in ours if rows[place].lang == lang]
        for head in ("intent", "sentiment", "urgency"):
            if places:
                found["intervals"][f"ours/{lang}/{head}"] = interval([rows[p] for p in places], logits[places], head)
    return found


def main() -> None:
    """Measure an artefact on held-back rows, once."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--artefact", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument(
        "--network", type=Path, default=None, help="also measure the fp32 network that it was made from"
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    folder: Path = arguments.artefact
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    figures = json.loads((folder / "figures.json").read_text(encoding="utf-8"))
    rows = reported(load(arguments.data))
    texts = [row.text for row in rows]
    tokenizer = tokens.load_tokenizer(folder)
    figures["test"] = measure(rows, Runner(str(folder / "model.onnx"), tokenizer).logits(texts), config)
    if arguments.network:
        network = restore(arguments.network)
        with torch.no_grad():
            network.answers.bias.add_(torch.tensor(config["added_to_bias"]))
        logits = np.zeros((len(rows), network.sizes.logits), np.float32)
        with torch.inference_mode():
            for batch in tokens.batches(tokenizer, texts):
                logits[batch.places] = network(batch.ids, batch.lengths).numpy()
        figures["test_fp32"] = measure(rows, logits, config)["scores"]
    (folder / "figures.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
    (folder / "card.md").write_text(card.render(config, figures), encoding="utf-8")
    _log.info("%s", json.dumps(figures["test"], indent=1))


if __name__ == "__main__":
    main()
