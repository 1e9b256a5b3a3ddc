"""The artefact: model.onnx, tokenizer, config.json with heads and calibration, card.md; checked before it is written.

Checks: the fp32 graph equals the torch network; the eight-bit graph gives the same answer alone, in any batch and in
any order. Calibration runs on the answers of the artefact itself. What was measured goes into figures.json.
"""

import argparse
import json
import logging
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

from nlp.train import balance, card, graph, score, tokens
from nlp.train.calibrate import Calibration, calibrate
from nlp.train.data import Part, Row, load
from nlp.train.heads import HEADS
from nlp.train.model import Network, restore
from nlp.train.sources import SOURCES

_log = logging.getLogger(__name__)
_SAME = 1e-4  # largest difference of a logit between two batches
_EQUAL = 1e-3  # between the torch network and its fp32 graph


class Runner:
    """A graph in onnxruntime, one thread."""

    def __init__(self, model: Any, tokenizer: Any, limit: int = tokens.MAX_TOKENS) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        data = model if isinstance(model, str) else model.SerializeToString()
        self.session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        self.tokenizer = tokenizer
        self.limit = limit

    def logits(self, texts: Sequence[str], size: int = 32) -> score.Logits:
        """Logits of prepared texts, in their order."""
        found: list[Any] = [None] * len(texts)
        for batch in tokens.batches(self.tokenizer, texts, size, self.limit):
            feeds = {"ids": batch.ids.numpy(), "lengths": batch.lengths.numpy()}
            for place, logits in zip(batch.places, self.session.run(["logits"], feeds)[0], strict=True):
                found[place] = logits
        return np.asarray(found, np.float32)


def check_equal(network: Network, tokenizer: Any, texts: Sequence[str]) -> float:
    """Largest difference between torch and the fp32 graph.

    Raises:
        ValueError: it is more than rounding explains.
    """
    wanted = np.zeros((len(texts), network.sizes.logits), np.float32)
    with torch.inference_mode():
        for batch in tokens.batches(tokenizer, texts, 16):
            wanted[batch.places] = network(batch.ids, batch.lengths).numpy()
    found = Runner(graph.build(network, graph.Form.FLOAT), tokenizer).logits(texts)
    gap = float(np.abs(found - wanted).max())
    if gap > _EQUAL:
        raise ValueError(
            f"The graph differs from the network by {gap:.2g}. Nothing was written: compare graph.py and model.py."
        )
    return gap


def check_alone(runner: Runner, texts: Sequence[str]) -> float:
    """Largest difference between answers alone, in a batch, and in the batch of the reverse order.

    Raises:
        ValueError: a neighbour moves an answer.
    """
    together = runner.logits(texts)
    alone = runner.logits(texts, size=1)
    backwards = runner.logits(list(reversed(texts)), size=7)[::-1]
    gap = float(max(np.abs(together - alone).max(), np.abs(together - backwards).max()))
    if gap > _SAME:
        raise ValueError(f"Answers move with their neighbours by {gap:.2g}. Nothing was written.")
    return gap


def settings(network: Network, calibration: Calibration, name: str, version: str) -> dict[str, Any]:
    """What inference needs to know; config.json of the artefact."""
    return {
        "name": name,
        "version": version,
        "hidden": network.sizes.hidden,
        "max_tokens": tokens.MAX_TOKENS,
        "heads": [{"key": head.key, "kind": head.kind.value, "labels": list(head.labels)} for head in HEADS],
        **asdict(calibration),
    }


def chosen_on(rows: Sequence[Row]) -> list[Row]:
    """Rows for calibration: the tuning fold of our labels and the val parts of the reported sets."""
    reported = {source.key for source in SOURCES if source.reported}
    return [row for row in rows if row.part is Part.VAL and (row.source.startswith("ours") or row.source in reported)]


def favour_rare(network: Network, tokenizer: Any, rows: Sequence[Row]) -> tuple[list[float], dict[str, float]]:
    """Move the bias of the answers towards rare classes, as far as the tuning fold likes it.

    Returns:
        What was added to the bias, and the strength of each head.
    """
    tuning = [row for row in rows if row.part is Part.VAL and row.source.startswith("ours")]
    if not tuning:
        return [0.0] * network.sizes.logits, {}
    logits = Runner(graph.build(network, graph.Form.EIGHT), tokenizer).logits([row.text for row in tuning])
    added, chosen = balance.offsets(rows, tuning, logits)
    with torch.no_grad():
        network.answers.bias.add_(torch.from_numpy(added))
    return [round(float(value), 4) for value in added], chosen


def export(network: Network, base: Path, rows: Sequence[Row], out: Path, name: str, version: str) -> dict[str, Any]:
    """Write the artefact; what was measured."""
    tokenizer = tokens.load_tokenizer(base)
    val = chosen_on(rows)
    texts = [row.text for row in val]
    sample = texts[:: max(1, len(texts) // 96)]
    added, strengths = favour_rare(network, tokenizer, rows)
    figures: dict[str, Any] = {"balance": strengths}
    figures |= {"torch_against_fp32_graph": check_equal(network, tokenizer, sample)}
    model = graph.build(network, graph.Form.EIGHT)
    runner = Runner(model, tokenizer)
    figures["alone_against_batch"] = check_alone(runner, sample)
    began = time.process_time()
    logits = runner.logits(texts)
    figures["val_messages_per_cpu_second"] = round(len(texts) / (time.process_time() - began), 1)
    calibration = calibrate(val, logits)
    out.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(out / "model.onnx"))
    for part in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(base / part, out / part)
    config = settings(network, calibration, name, version) | {"added_to_bias": added}
    (out / "config.json").write_text(json.dumps(config, indent=1, ensure_ascii=False), encoding="utf-8")
    figures["bytes"] = {
        path.name: path.stat().st_size for path in sorted(out.iterdir()) if path.suffix in (".onnx", ".json")
    }
    calibrated = calibration.apply([row.lang for row in val], logits)
    figures["val"] = score.report(val, calibrated, calibration.thresholds)
    (out / "figures.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
    (out / "card.md").write_text(card.render(config, figures), encoding="utf-8")
    return figures


def main() -> None:
    """Quantise, check, calibrate and write the artefact."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--network", type=Path, required=True, help="network.pt of a run")
    parser.add_argument("--base", type=Path, required=True, help="folder with the run's tokenizer")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--name", default="comptoir-small")
    parser.add_argument("--version", required=True)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    rows = load(arguments.data)
    network = restore(arguments.network)
    figures = export(network, arguments.base, rows, arguments.out, arguments.name, arguments.version)
    _log.info("%s", json.dumps({key: value for key, value in figures.items() if key != "val"}, indent=1))


if __name__ == "__main__":
    main()
