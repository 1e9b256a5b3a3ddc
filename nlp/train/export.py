"""The artefact: model.onnx, heads.npz, tokenizer, config.json with the calibration, gold.npz, card.md; checked first.

Checks: the fp32 graph equals the torch network; the eight-bit graph gives the same answer alone, in any batch and in
any order. Calibration is chosen on val, by the artefact's own answers, and on our real messages, each answered by the
network of crossfit.py that never saw it. What was measured goes into figures.json. gold.npz holds the fold of our labels
that no network learnt, as vectors without texts: what later learning on a retailer's labels is checked against.
"""

import argparse
import json
import logging
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from nlp import word_cues
from nlp.train import balance, card, crossfit, graph, ours, report, score, stack, tokens
from nlp.train.calibrate import Calibration, calibrate
from nlp.train.data import Part, Row, load
from nlp.train.heads import HEADS, slices
from nlp.train.loss import targets
from nlp.train.model import Network, restore
from nlp.train.sources import SOURCES

_log = logging.getLogger(__name__)
SKETCH = 32  # numbers of a text that are kept to notice drift
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
        return self._answers("logits", texts, size)

    def features(self, texts: Sequence[str], size: int = 32) -> score.Logits:
        """Vectors of prepared texts, in their order."""
        return self._answers("features", texts, size)

    def _answers(self, output: str, texts: Sequence[str], size: int) -> score.Logits:
        found: list[Any] = [None] * len(texts)
        for batch in tokens.batches(self.tokenizer, texts, size, self.limit):
            feeds = {"ids": batch.ids.numpy(), "lengths": batch.lengths.numpy()}
            for place, row in zip(batch.places, self.session.run([output], feeds)[0], strict=True):
                found[place] = row
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
    """Public rows for calibration: the val parts of the reported sets, but for irony.

    Half of that set is ironic, of what brands hear two in a hundred: probabilities made on it would cry irony everywhere.
    """
    reported = {source.key for source in SOURCES if source.reported} - {"irony"}
    return [row for row in rows if row.part is Part.VAL and row.source in reported]


@dataclass(frozen=True, slots=True)
class Own:
    """Our real messages with answers that nobody tuned on them (crossfit.py), and the fold that nobody learnt.

    Attributes:
        rows: those that the word lists never saw either.
        told: what the word lists say of them.
    """

    rows: Sequence[Row]
    logits: score.Logits
    told: score.Logits
    parts: NDArray[Any]
    gold: Sequence[Row]

    @classmethod
    def of(cls, rows: Sequence[Row], logits: score.Logits, parts: NDArray[Any], gold: Sequence[Row]) -> "Own":
        """Without the rows that the word lists were fitted on."""
        kept = [place for place, row in enumerate(rows) if stack.unseen(row)]
        fresh = [rows[place] for place in kept]
        return cls(fresh, logits[kept], stack.cues(fresh), parts[kept], gold)


def export(
    network: Network, base: Path, rows: Sequence[Row], own: Own, out: Path, name: str, version: str
) -> dict[str, Any]:
    """Write the artefact; what was measured."""
    tokenizer = tokens.load_tokenizer(base)
    val = chosen_on(rows)
    texts = [row.text for row in val]
    sample = texts[:: max(1, len(texts) // 96)]
    listened = stack.weights(own.rows, own.logits, own.told)
    both = own.logits + listened * own.told
    added, strengths = balance.offsets(rows, own.rows, both)
    with torch.no_grad():
        network.answers.bias.add_(torch.from_numpy(added))
    figures: dict[str, Any] = {
        "balance": strengths,
        "word_lists": {head.key: round(float(listened[slices()[head.key].start]), 2) for head in HEADS},
    }
    figures |= {"torch_against_fp32_graph": check_equal(network, tokenizer, sample)}
    model = graph.build(network, graph.Form.EIGHT)
    runner = Runner(model, tokenizer)
    figures["alone_against_batch"] = check_alone(runner, sample)
    began = time.process_time()
    alone = runner.logits(texts)
    figures["val_messages_per_cpu_second"] = round(len(texts) / (time.process_time() - began), 1)
    logits = alone + listened * stack.cues(val)
    calibration = calibrate([*val, *own.rows], np.concatenate([logits, both + added]))
    out.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(out / "model.onnx"))
    for part in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(base / part, out / part)
    _write_heads(network, listened, runner.features(sample), out)
    _write_gold(runner, own.gold, out)
    config = settings(network, calibration, name, version) | {"added_to_bias": [round(float(v), 4) for v in added]}
    config["cues"] = word_cues.version()
    (out / "config.json").write_text(json.dumps(config, indent=1, ensure_ascii=False), encoding="utf-8")
    figures["layers"] = network.sizes.layers
    figures["bytes"] = {path.name: path.stat().st_size for path in sorted(out.iterdir()) if path.suffix != ".md"}
    calibrated = calibration.apply([row.lang for row in val], logits)
    figures["val"] = score.report(val, calibrated, calibration.thresholds)
    figures["gold"] = report.gold_figures(report.judge(own.rows, own.logits, own.told, own.parts, rows))
    (out / "figures.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
    (out / "card.md").write_text(card.render(config, figures), encoding="utf-8")
    return figures


def _write_heads(network: Network, listened: score.Logits, features: score.Logits, out: Path) -> None:
    """The answers' weights on vector and word lists, which learning replaces, and the directions in which texts differ most.

    Args:
        listened: what counts where the lists give a label, a number a logit.
        features: vectors of some texts, whose principal axes make the sketch.
    """
    axes = np.linalg.svd(features - features.mean(axis=0), full_matrices=False)[2][:SKETCH]
    sketch = np.zeros((SKETCH, network.sizes.hidden + len(listened)), np.float32)
    sketch[: len(axes), : network.sizes.hidden] = axes
    np.savez(
        out / "heads.npz",
        weight=np.hstack([graph.array(network.answers.weight), np.diag(listened)]),
        bias=graph.array(network.answers.bias),
        sketch=sketch,
    )


def _write_gold(runner: Runner, gold: Sequence[Row], out: Path) -> None:
    np.savez_compressed(
        out / "gold.npz",
        features=np.hstack([runner.features([row.text for row in gold]), stack.cues(gold)]).astype(np.float16),
        targets=targets(gold).numpy().astype(np.int8),
        langs=np.asarray([row.lang for row in gold]),
    )


def main() -> None:
    """Quantise, check, calibrate and write the artefact."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument(
        "--crossfit", type=Path, required=True, help="folder of nlp.train.crossfit; its `final` is exported"
    )
    parser.add_argument("--base", type=Path, required=True, help="folder with the tokenizer")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--name", default="comptoir-small")
    parser.add_argument("--version", required=True)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    rows = load(arguments.data)
    gold = [row for fold, row in ours.by_fold(arguments.data) if fold == crossfit.GOLD_FOLD]
    own = Own.of(*crossfit.answers(arguments.data, arguments.crossfit), gold)
    network = restore(arguments.crossfit / crossfit.FINAL / "network.pt")
    figures = export(network, arguments.base, rows, own, arguments.out, arguments.name, arguments.version)
    figures["people"] = report.people(arguments.data)
    (arguments.out / "figures.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
    _log.info("%s", json.dumps({k: v for k, v in figures.items() if k not in ("val", "gold")}, indent=1))


if __name__ == "__main__":
    main()
