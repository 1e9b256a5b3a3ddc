"""The systems of `benchmarks.understanding`, each served by a process of its own: `python -m benchmarks.systems NAME`.

A served system reads JSON lines from stdin: first the messages, whose first one is tagged at once and said so; then, for each
line `{"seconds": S}`, it tags all of its messages again and again for about S seconds. A row of SYSTEMS is a function that
makes `texts -> number of answers` ready; it imports only what that system needs, for its memory and its start are measured.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Tag = Callable[[Sequence[str]], int]
ROOT = Path(__file__).parents[1]
THREADS = 2
BATCH = 32


@dataclass(frozen=True, slots=True)
class System:
    """One row of the table.

    Attributes:
        share: how many of the messages are tagged, one of so many; slow systems get fewer.
        starts: fresh processes for the time to the first tag.
        needs: modules that must be installed.
    """

    key: str
    title: str
    ready: Callable[[], Tag]
    share: int = 1
    starts: int = 3
    needs: tuple[str, ...] = ()


def _ours(name: str) -> Tag:
    import nlp
    from domain.mention import Mention

    analyzer, said_at = nlp.build(name), datetime(2026, 3, 10, tzinfo=UTC)

    def tag(texts: Sequence[str]) -> int:
        mentions = [Mention("x", str(number), text, said_at) for number, text in enumerate(texts)]
        return len(analyzer.analyze(mentions))

    return tag


def embedded() -> Tag:
    """Comptoir's default: every tag of every message."""
    return _ours("embedded")


def lexicon() -> Tag:
    """Comptoir's word lists: every tag of every message."""
    return _ours("lexicon")


def write_model(folder: Path) -> None:
    """A classifier of XLM-R base's shape with random weights, and a tokenizer: what the pipelines load.

    XLM-R's tokenizer is not shipped here. Ours stands in: its pieces are a part of XLM-R's, so texts come to about as many.
    """
    import torch
    from transformers import AutoTokenizer, XLMRobertaConfig, XLMRobertaForSequenceClassification

    torch.manual_seed(1)
    shape = XLMRobertaConfig(
        vocab_size=250_002, type_vocab_size=1, max_position_embeddings=514, layer_norm_eps=1e-5, num_labels=3
    )
    XLMRobertaForSequenceClassification(shape).save_pretrained(folder)
    pieces = AutoTokenizer.from_pretrained(ROOT / "nlp" / "weights")
    pieces.model_max_length = 512
    pieces.save_pretrained(folder)


def _pipeline(**options: Any) -> Tag:
    import torch
    from transformers import pipeline

    torch.set_num_threads(THREADS)
    classifier = pipeline("text-classification", model=sys.argv[2], device="cpu", truncation=True, **options)

    def tag(texts: Sequence[str]) -> int:
        return len(classifier(list(texts)))

    return tag


def pipeline_batches() -> Tag:
    """Sentiment only, as its documentation advises for speed."""
    return _pipeline(batch_size=BATCH)


def pipeline_default() -> Tag:
    """Sentiment only, one message at a time, as it comes."""
    return _pipeline()


def vader() -> Tag:
    """Sentiment only, English word list."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer()

    def tag(texts: Sequence[str]) -> int:
        return sum("compound" in analyzer.polarity_scores(text) for text in texts)

    return tag


TORCH = ("torch", "transformers")
PIPELINE = "pipeline-32"  # what the ratios are to
SYSTEMS = (
    System("embedded", "Comptoir, embedded model", embedded),
    System(
        PIPELINE,
        f"transformers.pipeline(batch_size={BATCH}), XLM-R base shape",
        pipeline_batches,
        starts=2,
        needs=TORCH,
    ),
    System("pipeline-1", "transformers.pipeline(), XLM-R base shape", pipeline_default, share=4, starts=1, needs=TORCH),
    System("vader", "vaderSentiment", vader, needs=("vaderSentiment",)),
    System("lexicon", "Comptoir, word lists", lexicon),
)


def peak_mb() -> float:
    """Most memory that this process has had, MB; of this program only, not of the one that started it."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text("utf-8").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform != "darwin" else 1024) / 1024


def _say(**values: Any) -> None:
    print(json.dumps(values), flush=True)


def serve(name: str) -> None:
    """Tag on demand until stdin ends."""
    system = next(system for system in SYSTEMS if system.key == name)
    texts: list[str] = json.loads(sys.stdin.readline())[:: system.share]
    tag = system.ready()
    tag(texts[:1])
    _say(first=True)
    for line in sys.stdin:
        wanted, began, spent, count = json.loads(line)["seconds"], time.perf_counter(), time.process_time(), 0
        while count == 0 or time.perf_counter() - began < wanted:
            count += tag(texts)
        seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - spent
        _say(count=count, seconds=seconds, cpu_seconds=cpu_seconds, mb=peak_mb())


if __name__ == "__main__":
    serve(sys.argv[1])
