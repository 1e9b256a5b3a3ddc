"""docs/indicators.md, written from the table: `python -m store.indicators.glossary`. A test keeps the two equal."""

from pathlib import Path

from domain.departments import DEPARTMENT_BY_KEY, DEPARTMENTS
from store.indicators import INDICATORS, Indicator

PAGE = Path(__file__).parents[2] / "docs" / "indicators.md"

_HEAD = """\
# Indicators

Written from `store.indicators.INDICATORS` by `python -m store.indicators.glossary`; change the table, not this page.

Every indicator has a formula, an owner, a population and a version, and every number is shown with what it rests on (n).
Behind each one stand the very rows that were counted, largest problem first: a test proves for all of them that the rows
make the value. No data is shown as no data, never as zero. A period is a run of the shop's calendar days.

**Comparison.** With the same number of days just before; none where the store does not reach back that far. A change is
called possible chance where a test at the 95 % level does not exclude it: two-proportion z for shares (Fisher's exact
test where fewer than five are expected), the exact conditional Poisson test for counts and rates, compound Poisson for
reach and euros, Welch for means, Mann-Whitney for medians. The tests take messages as independent, which people who read
each other are not quite.

**Loud days.** A day is a spike where its count exceeds the mean of the seven days before by two standard deviations and
reaches five (after Socialmetrix help, Variation alerts). Looked for in all mentions, in each network, in each intent.

**Verbatims** are shared out over sentiments and intents as the mentions are, and are ordinary in length; insults are left
out, so that five lines represent and do not shock.
"""
_UNITS = {
    "count": "number",
    "share": "share, 0 to 1",
    "minutes": "minutes",
    "rating": "stars, 1 to 5",
    "euros": "euros",
    "per_1000": "for 1,000",
    "score": "score, −1 to +1",
}
_MADE = {
    "sum": "sum of the rows",
    "mean": "mean of the rows",
    "median": "median of the rows",
    "per_1000": "sum of the rows for 1,000 of n",
    "stock": "sum of the rows at one moment",
}
_BETTER = {"up": "higher is better", "down": "lower is better", "": "neither direction is good news by itself"}


def render_catalogue() -> str:
    """The page, as text."""
    return _HEAD + "".join(_section(indicator) for indicator in INDICATORS)


def _section(indicator: Indicator) -> str:
    shown = [d.title_en for d in DEPARTMENTS if indicator.key in d.indicators]
    lines = (
        ("Formula", indicator.formula_en),
        ("Formule", indicator.formula_fr),
        ("Population", indicator.population_en),
        ("Population (fr)", indicator.population_fr),
        ("Unit", f"{_UNITS[indicator.unit]}; {_MADE[indicator.how]}; {_BETTER[indicator.better]}"),
        ("Breakdowns", ", ".join(indicator.dimensions) or "none"),
        ("Department filter", "does not apply: whole house" if indicator.whole_house else "applies"),
        ("Owner", DEPARTMENT_BY_KEY[indicator.owner].title_en),
        ("Shown to", ", ".join(shown) or "nobody yet"),
        ("Definition", indicator.source),
        ("Version", str(indicator.version)),
    )
    table = "".join(f"| {name} | {text} |\n" for name, text in lines)
    return f"\n## {indicator.title_en} · {indicator.title_fr}\n\n| `{indicator.key}` | |\n|---|---|\n{table}"


if __name__ == "__main__":
    PAGE.write_text(render_catalogue(), "utf-8")
