"""The picture of `benchmarks.understanding`: bars of messages a second on a logarithmic axis, as an SVG of its own ground.

Plain text, no font and no script of others: it looks the same on a light and on a dark page.
"""

import math
import statistics
from collections.abc import Iterable, Mapping
from typing import Any
from xml.sax.saxutils import escape

WIDTH, ROW, TOP, LEFT, RIGHT = 860, 56, 84, 30, 190
GROUND, INK, SOFT, LINE = "#ffffff", "#1f2933", "#5b6770", "#e3e7ea"
_QUIET = "Comptoir answers nine questions a message, the others one. Each step of the axis is ten times more."
_BUSY = f"{_QUIET} On a busy machine: read the ratios."
OURS, OTHERS = "#0f6e84", "#a9b4bc"


def short(number: float) -> str:
    """One decimal where it tells something."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.1f}"


def draw(rows: Mapping[str, Mapping[str, Any]], *, busy: bool = False) -> str:
    """SVG of the systems, the fastest first; it says so where the machine had other work to do."""
    speeds = {key: statistics.median(row["speeds"]) for key, row in rows.items()}
    order = sorted(rows, key=lambda key: -speeds[key])
    low = 10 ** math.floor(math.log10(min(speeds.values())))
    high = 10 ** (math.floor(math.log10(max(speeds.values()))) + 1)
    height = TOP + ROW * len(order) + 40

    def across(speed: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * math.log(speed / low) / math.log(high / low)

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'role="img" font-family="Lato, Segoe UI, Helvetica, Arial, sans-serif">',
        f"<title>{escape(_title(rows, speeds))}</title>",
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="{GROUND}"/>',
        _text(LEFT, 34, "Messages understood in a second, two cores", 18, INK, weight=700),
        _text(LEFT, 56, _BUSY if busy else _QUIET, 13, SOFT),
    ]
    for power in range(round(math.log10(low)), round(math.log10(high)) + 1):
        x = across(10**power)
        lines.append(f'<path d="M{x:.1f} {TOP - 8}V{height - 30}" stroke="{LINE}"/>')
        lines.append(_text(x, height - 12, f"{10**power:,}", 12, SOFT, anchor="middle"))
    for place, key in enumerate(order):
        lines += _bar(
            rows[key], speeds[key], TOP + place * ROW, across(speeds[key]), ours=key in ("embedded", "lexicon")
        )
    return "\n".join([*lines, "</svg>", ""])


def _bar(row: Mapping[str, Any], speed: float, y: float, end: float, *, ours: bool) -> Iterable[str]:
    ratio = f" · ×{short(statistics.median(row['ratios']))}" if row["ratios"] else ""
    yield _text(LEFT + 4, y + 16, str(row["title"]), 13, INK, weight=700 if ours else 400)
    length, fill = max(end - LEFT, 2), OURS if ours else OTHERS
    yield f'<rect x="{LEFT}" y="{y + 24}" width="{length:.1f}" height="18" rx="2" fill="{fill}"/>'
    yield _text(LEFT + length + 8, y + 38, f"{short(speed)}/s{ratio} · {row['peak_mb']:,.0f} MB", 13, INK)


def _title(rows: Mapping[str, Mapping[str, Any]], speeds: Mapping[str, float]) -> str:
    return "Messages a second: " + "; ".join(f"{row['title']} {speeds[key]:,.0f}" for key, row in rows.items())


def _text(x: float, y: float, text: str, size: int, ink: str, *, weight: int = 400, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{ink}" font-weight="{weight}" '
        f'text-anchor="{anchor}">{escape(text)}</text>'
    )
