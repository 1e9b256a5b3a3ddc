"""The colours, light and dark, and what they mean. `.streamlit/config.toml` holds the same values; a test compares them.

Meaning has its own colours, safe for colour-blind eyes, and never stands alone: `SENTIMENT_SIGNS` gives the sign beside.
Charts take their colours from here; components take theirs from Streamlit's theme variables, which config.toml sets.
"""

from dataclasses import dataclass

import streamlit as st

from dashboard.i18n import msg
from domain.analysis import Sentiment


@dataclass(frozen=True, slots=True)
class Palette:
    """One theme. `card` lies on `paper`; `faint` is for secondary words, still readable (contrast above 4.5)."""

    paper: str
    card: str
    ink: str
    faint: str
    line: str
    primary: str
    accent: str
    negative: str
    neutral: str
    positive: str
    series: tuple[str, ...]

    def sentiment(self, sentiment: Sentiment) -> str:
        """Its colour."""
        return {
            Sentiment.NEGATIVE: self.negative,
            Sentiment.NEUTRAL: self.neutral,
            Sentiment.POSITIVE: self.positive,
        }[sentiment]


LIGHT = Palette(
    paper="#FBF8F3",
    card="#FFFFFF",
    ink="#22303C",
    faint="#5F6B76",
    line="#E6DFD3",
    primary="#2B4C6F",
    accent="#D99A2B",
    negative="#B4532A",
    neutral="#8B97A3",
    positive="#1F7A6D",
    series=("#2B4C6F", "#D99A2B", "#1F7A6D", "#8E6C8A", "#6E8CA8", "#7A5C3E"),
)
DARK = Palette(
    paper="#14191F",
    card="#1C232B",
    ink="#E8E4DC",
    faint="#9DA7B1",
    line="#2E3741",
    primary="#4C769F",
    accent="#E0A94A",
    negative="#E08A5F",
    neutral="#93A0AC",
    positive="#4FB3A3",
    series=("#7FA6CC", "#E0A94A", "#4FB3A3", "#B796B4", "#9DB4C9", "#C2A27E"),
)

SENTIMENT_SIGNS: dict[Sentiment, str] = {Sentiment.NEGATIVE: "−", Sentiment.NEUTRAL: "=", Sentiment.POSITIVE: "+"}
SENTIMENT_WORDS: dict[Sentiment, str] = {
    Sentiment.NEGATIVE: msg("négatif"),
    Sentiment.NEUTRAL: msg("neutre"),
    Sentiment.POSITIVE: msg("positif"),
}


def current() -> Palette:
    """The palette of the theme that the person sees."""
    return DARK if st.context.theme.type == "dark" else LIGHT
