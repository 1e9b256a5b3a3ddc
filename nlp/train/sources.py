"""The public data sets: SOURCES, one row a set, with the part each line is for, its answers and how far it is trusted.

Official splits are kept; a set without any is for training. To add a set, write a function from a line to its targets
and add a row; state its licence in the model card (card.py reads `licence` here).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlp.embedded import prepare, whole_text
from nlp.train.data import Part, Row, Target, read_lines
from nlp.train.heads import HEAD_BY_KEY
from nlp.train.ours import index

Targets = dict[str, Target]
Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """One public set.

    Attributes:
        answers: line -> targets; empty where the line teaches nothing.
        weight: trust in its labels, or a function of the line.
        rate: rows drawn in one pass, as a share of its training rows; above 1 they are seen more than once.
        licence: as its publisher states it.
        reported: whether its val and test parts are measured; else they are only kept out of training.
    """

    key: str
    file: str
    answers: Callable[[Line], Targets]
    rate: float
    licence: str
    weight: float | Callable[[Line], float] = 1.0
    reported: bool = False

    def rows(self, folder: Path) -> Iterator[Row]:
        """Its usable lines."""
        for line in read_lines(folder / self.file):
            found = self.answers(line)
            text = prepare(whole_text(str(line.get("title") or ""), str(line["text"])))
            if not text or not found:
                continue
            weight = self.weight(line) if callable(self.weight) else self.weight
            part = Part(line["split"]) if line["split"] in set(Part) else Part.TRAIN
            yield Row(text, line["lang"], part, self.key, found, weight)


def _sentiment(line: Line) -> Targets:
    label = line["label"]
    return {"sentiment": index("sentiment", label)} if label in HEAD_BY_KEY["sentiment"].labels else {}


def _intent(line: Line) -> Targets:
    return {"intent": index("intent", line["label"])} if line["label"] in HEAD_BY_KEY["intent"].labels else {}


_TRUST = {
    "human": 0.6, "human_mapped": 0.5, "human_noisy": 0.35, "silver_rating": 0.3, "mt_silver": 0.2, "synthetic": 0.25,
}  # fmt: skip


def _intent_trust(line: Line) -> float:
    return _TRUST.get(line["quality"], 0.2)


def _umsab(line: Line) -> Targets:
    """All but the Hindi training and val lines: their labels are noise (TF-IDF, cross-validated on them, scores 0.34)."""
    return {} if line["lang"] == "hi" and line["split"] != "test" else _sentiment(line)


def _airline_trust(line: Line) -> float:
    return 0.7 * float(line["confidence"])


def _flag(head: str, yes: str) -> Callable[[Line], Targets]:
    def answer(line: Line) -> Targets:
        return {head: (int(line["label"] == yes),)}

    return answer


_ASPECT_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), aspect)
    for pattern, aspect in (
        (r"price|value for money", "price_promo"),
        (r"logistics|shipment", "delivery"),
        (r"packag", "packaging"),
        (r"after-sales|warranty", "after_sales"),
        (r"seller service|support#", "customer_contact"),
        (r"service general", "store_staff"),
        (r"availability", "stock_availability"),
        (
            r"quality|operation_performance|design|battery|screen|camera|display|keyboard|performance|durab",
            "product_quality",
        ),
    )
)


def _absa(line: Line) -> Targets:
    """Aspects named by the triplets; where a category has no counterpart, the other aspects stay unknown."""
    labels = HEAD_BY_KEY["aspects"].labels
    known, present = True, set()
    for _, category, _ in line["triplets"]:
        aspect = next((name for pattern, name in _ASPECT_RULES if pattern.search(category)), None)
        known = known and (aspect is not None or "general" in category.lower())
        if aspect:
            present.add(aspect)
    flags = tuple(1 if name in present else (0 if known else -1) for name in labels)
    found = _sentiment(line)
    if any(flag >= 0 for flag in flags):
        found["aspects"] = flags
    return found


def _absa_trust(line: Line) -> float:
    return 0.35 if line["lang"] == "en" else 0.2


SOURCES: tuple[Source, ...] = (
    Source("umsab", "umsab.jsonl.gz", _umsab, 1.0, "research use", reported=True),
    Source("tweeteval", "tweeteval_sentiment.jsonl.gz", _sentiment, 0.35, "research use", reported=True),
    Source("airline", "airline_sentiment.jsonl", _sentiment, 0.1, "CC BY-NC-SA 4.0", _airline_trust),
    Source("brand", "brand_emotion_en.jsonl.gz", _sentiment, 0.2, "see its publisher (Figure Eight)", 0.4),
    Source("trustpilot_services", "trustpilot_fr_services.jsonl.gz", _sentiment, 0.5, "public reviews", 0.4),
    Source("typology", "typology_binary.jsonl.gz", _sentiment, 0.05, "research use", 0.3),
    Source("books", "cls_books_fr_en.jsonl.gz", _sentiment, 0.15, "research use", 0.3),
    Source("intents", "intent_mapped.jsonl.gz", _intent, 0.2, "mixed, see each set", _intent_trust),
    Source("absa", "m_absa_fr_en.jsonl.gz", _absa, 0.15, "none stated", _absa_trust),
    Source("irony", "tweeteval_irony.jsonl.gz", _flag("irony", "irony"), 0.6, "research use", 0.5, reported=True),
    Source("offensive", "tweeteval_offensive.jsonl.gz", _flag("toxic", "offensive"), 0.1, "research use", 0.4),
    Source("toxic_de", "toxicity_de.jsonl.gz", _flag("toxic", "toxic"), 0.08, "research use", 0.4),
    Source("mlma", "mlma_hate.jsonl.gz", _flag("toxic", "toxic"), 0.04, "research use", 0.3),
)
_OTHER_RATES = {"written": 1.5, "unlabelled": 0.3}  # ours are drawn by crossfit.py


def rates() -> dict[str, float]:
    """Source -> rows drawn in one pass, as a share of its training rows."""
    return {source.key: source.rate for source in SOURCES} | _OTHER_RATES
