"""What an artefact reaches on held-back rows: the official test parts of public sets.

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

from nlp.train import card, score, stack, tokens
from nlp.train.calibrate import Calibration, calibration_error, softmax
from nlp.train.data import Part, Row, load
from nlp.train.export import Runner
from nlp.train.heads import slices
from nlp.train.model import restore
from nlp.train.sources import SOURCES

_log = logging.getLogger(__name__)


def reported(rows: Sequence[Row]) -> list[Row]:
    """Test rows of the sets that are reported."""
    names = {source.key for source in SOURCES if source.reported}
    return [row for row in rows if row.part is Part.TEST and row.source in names]


def listened(folder: Path) -> score.Logits:
    """What counts where the word lists give a label, a number a logit; see `export`."""
    weight = np.load(folder / "heads.npz")["weight"]
    found: score.Logits = np.diag(weight[:, -len(weight) :])
    return found


def measure(rows: Sequence[Row], logits: score.Logits, config: Mapping[str, Any]) -> dict[str, Any]:
    """Scores, and the calibration error of sentiment.

    Args:
        logits: as the artefact gives them; its calibration is applied here.
        config: the artefact's settings.
    """
    calibration = Calibration(config["temperatures"], config["offsets"], config["thresholds"])
    logits = calibration.apply([row.lang for row in rows], logits)
    places = [place for place, row in enumerate(rows) if "sentiment" in row.targets]
    shares = softmax(logits[places][:, slices()["sentiment"]])
    right = shares.argmax(axis=1) == np.asarray([rows[place].targets["sentiment"] for place in places])
    return {
        "scores": score.report(rows, logits, config["thresholds"]),
        "sentiment_calibration_error": round(calibration_error(shares.max(axis=1), right), 4),
    }


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
    told = listened(folder) * stack.cues(rows)
    figures["test"] = measure(rows, Runner(str(folder / "model.onnx"), tokenizer).logits(texts) + told, config)
    if arguments.network:
        network = restore(arguments.network)
        with torch.no_grad():
            network.answers.bias.add_(torch.tensor(config["added_to_bias"]))
        logits = np.zeros((len(rows), network.sizes.logits), np.float32)
        with torch.inference_mode():
            for batch in tokens.batches(tokenizer, texts):
                logits[batch.places] = network(batch.ids, batch.lengths).numpy()
        figures["test_fp32"] = measure(rows, logits + told, config)["scores"]
    (folder / "figures.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
    (folder / "card.md").write_text(card.render(config, figures), encoding="utf-8")
    _log.info("%s", json.dumps(figures["test"], indent=1))


if __name__ == "__main__":
    main()
