"""Charts of numbers, in Plotly with our own look: one message each, direct labels, zero-based, no legend.

A chart is drawn here and shown by `show`, which writes its message above it in words (text wraps on a phone, a chart's own
title does not). Colours come from `dashboard.palette`, numbers arrive already written in the person's language. Drawings
are plain dictionaries, checked by tests and not at each run. To add a kind of chart, add a function that returns `_figure`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from dashboard import palette
from dashboard.components.text import plain
from dashboard.i18n import number, share, t
from dashboard.palette import SENTIMENT_SIGNS, SENTIMENT_WORDS, Palette
from dashboard.views_days import day_title
from domain.analysis import Sentiment

CONFIG = {"displayModeBar": False, "doubleClick": False, "scrollZoom": False, "responsive": True}
FONT = "Lato, sans-serif"
OPEN_KEY = "open"  # session state: what a click asked to open, taken by the page at its end

Text = Callable[[float], str]
Drawing = dict[str, Any]

_STACK = (Sentiment.NEGATIVE.value, Sentiment.NEUTRAL.value, Sentiment.POSITIVE.value, "")
_BAR_HEIGHT = 42
_STEPS = (1, 2, 2.5, 5, 10)
_MINUTE_STEPS = (5, 10, 15, 30, 60, 120, 240, 480, 720, 1440, 2880, 5760)
# A clicked bar opens its rows; Plotly would fade the others until the next click.
_UNFADED = {"selected": {"marker": {"opacity": 1}}, "unselected": {"marker": {"opacity": 1}}}


@dataclass(frozen=True, slots=True)
class Bar:
    """One horizontal bar. `text` stands at its end; `opens` names what a click opens."""

    label: str
    value: float
    text: str
    opens: str = ""


@dataclass(frozen=True, slots=True)
class Dot:
    """One group of answers: the probability that was stated, how often they were right (and between what), how many."""

    stated: float
    hit: float
    low: float
    high: float
    n: int
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A marked day or run of days, and its sign."""

    first: date
    last: date
    sign: str


# -- the frame of every chart ----------------------------------------------------------------------------------------------


def _figure(
    colours: Palette, height: int, data: list[Drawing], x: Drawing, y: Drawing, over: list[Drawing], **layout: Any
) -> go.Figure:
    axis = {"showgrid": False, "zeroline": False, "showline": False, "fixedrange": True, "ticks": ""}
    axis["tickfont"] = {"color": colours.faint, "size": 12}
    look = {
        "template": {},
        "font": {"family": FONT, "size": 13, "color": colours.ink},
        "height": height,
        "margin": {"l": 0, "r": 4, "t": 24, "b": 8, "pad": 4},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "showlegend": False,
        "dragmode": False,
        "hoverlabel": {
            "bgcolor": colours.card,
            "bordercolor": colours.line,
            "font": {"family": FONT, "color": colours.ink, "size": 13},
        },
        "xaxis": {**axis, **x},
        "yaxis": {**axis, **y},
        "annotations": over,
        **layout,
    }
    return go.Figure({"data": data, "layout": look}, _validate=False)


def nice_ticks(top: float, *, minutes: bool = False) -> list[float]:
    """Zero and two or three round values that reach `top`; for durations, values that people count in."""
    if top <= 0:
        return [0.0, 1.0]
    if minutes:
        step = next((float(m) for m in _MINUTE_STEPS if m * 3 >= top), -(-top // (3 * 1440)) * 1440.0)
    else:
        raw, power = top / 3, 1.0
        while power * 10 <= raw:
            power *= 10
        while power > raw:
            power /= 10
        step = next(power * s for s in _STEPS if power * s >= raw * 0.999)
    ticks = [0.0]
    while ticks[-1] < top * 0.999:
        ticks.append(round(ticks[-1] + step, 6))
    return ticks


def _value_axis(colours: Palette, top: float, text_of: Text, minutes: bool = False, ends: bool = False) -> Drawing:
    ticks = [float(tick) for tick in range(int(top) + 1)] if ends else nice_ticks(top, minutes=minutes)
    return {
        "range": [0, ticks[-1] * 1.04],
        "tickvals": ticks,
        "ticktext": [text_of(tick) for tick in ticks],
        "showgrid": True,
        "gridcolor": colours.line,
        "automargin": True,
    }


def _day_axis(days: Sequence[date]) -> Drawing:
    # At most six labels, so that they fit a phone; the last day always has one.
    step = max(1, -(-len(days) // 6))
    shown = [day for index, day in enumerate(reversed(days)) if index % step == 0]
    return {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": [day.isoformat() for day in days],
        "tickvals": [day.isoformat() for day in shown],
        "ticktext": [day_title(day) for day in shown],
        "range": [-0.6, len(days) - 0.4],
        "tickangle": 0,
    }


def _bands(colours: Palette, marks: Sequence[Mark], days: Sequence[date]) -> tuple[list[Drawing], list[Drawing]]:
    # (shapes, signs): a light band behind marked days; what its sign stands for is written under the chart.
    places = {day: index for index, day in enumerate(days)}
    shapes: list[Drawing] = []
    signs: list[Drawing] = []
    for mark in marks:
        inside = [index for day, index in places.items() if mark.first <= day <= mark.last]
        if not inside:
            continue
        low, high = min(inside), max(inside)
        edges = {"type": "rect", "x0": low - 0.5, "x1": high + 0.5, "yref": "paper", "y0": 0, "y1": 1}
        paint = {"fillcolor": colours.accent, "opacity": 0.16, "line": {"width": 0}, "layer": "below"}
        shapes.append({**edges, **paint})
        place = {"x": (low + high) / 2, "yref": "paper", "y": 1, "yanchor": "bottom"}
        signs.append({**place, "text": mark.sign, "showarrow": False, "font": {"color": colours.ink, "size": 16}})
    return shapes, signs


# -- kinds of charts -------------------------------------------------------------------------------------------------------


def volume(
    days: Sequence[date], counts: Mapping[str, Sequence[int]], marks: Sequence[Mark], *, text_of: Text
) -> go.Figure:
    """Messages a day, stacked by sentiment: negative at the bottom, where its height can be read.

    Args:
        counts: sentiment -> one number a day; "" for messages that nobody analysed yet.
    """
    colours = palette.current()
    a_day = [sum(row[index] for row in counts.values()) for index in range(len(days))]
    shapes, signs = _bands(colours, marks, days)
    data = [
        {
            "type": "bar",
            "x": [day.isoformat() for day in days],
            "y": list(counts[kind]),
            "marker": {"color": kind_colour(kind, colours), "line": {"width": 0}},
            "customdata": [text_of(n) for n in counts[kind]],
            "hovertemplate": f"%{{customdata}} {kind_word(kind)}<extra></extra>",
        }
        for kind in _STACK
        if kind in counts
    ]
    y = _value_axis(colours, max(a_day, default=0), text_of)
    more = {"barmode": "stack", "hovermode": "x unified", "bargap": 0.2, "shapes": shapes}
    return _figure(colours, 300, data, _day_axis(days), y, signs, **more)


def columns(
    days: Sequence[date], values: Sequence[float | None], marks: Sequence[Mark] = (), *, text_of: Text
) -> go.Figure:
    """One count a day as a bar from zero."""
    colours = palette.current()
    known = [value or 0.0 for value in values]
    shapes, signs = _bands(colours, marks, days)
    bar = {
        "type": "bar",
        "x": [day.isoformat() for day in days],
        "y": known,
        "marker": {"color": colours.primary, "line": {"width": 0}},
        "customdata": [[day_title(day), text_of(value)] for day, value in zip(days, known, strict=True)],
        "hovertemplate": "%{customdata[0]} : %{customdata[1]}<extra></extra>",
    }
    y = _value_axis(colours, max(known, default=0), text_of)
    return _figure(colours, 280, [bar], _day_axis(days), y, signs, hovermode="x", bargap=0.2, shapes=shapes)


def trend(
    days: Sequence[date],
    values: Sequence[float | None],
    marks: Sequence[Mark] = (),
    *,
    text_of: Text,
    axis_of: Text | None = None,
    target: float | None = None,
    target_text: str = "",
    minutes: bool = False,
    top: float | None = None,
) -> go.Figure:
    """One number a day as a line from zero; days without data are gaps, not zeros.

    Args:
        target: drawn as a dashed line with `target_text` above it.
        minutes: the axis counts in minutes, hours and days.
        top: the end of the scale, where it has one (5 stars).
    """
    colours = palette.current()
    known = [value for value in values if value is not None]
    shapes, over = _bands(colours, marks, days)
    line = {
        "type": "scatter",
        "x": [day.isoformat() for day in days],
        "y": list(values),
        "mode": "lines+markers" if len(known) <= 14 else "lines",
        "line": {"color": colours.primary, "width": 2},
        "marker": {"size": 6, "color": colours.primary},
        "connectgaps": False,
        "customdata": [[day_title(d), "" if v is None else text_of(v)] for d, v in zip(days, values, strict=True)],
        "hovertemplate": "%{customdata[0]} : %{customdata[1]}<extra></extra>",
    }
    small = {"showarrow": False, "font": {"size": 12, "color": colours.ink}, "bgcolor": colours.card, "borderpad": 1}
    if target is not None:
        dashed = {"color": colours.accent, "width": 1.5, "dash": "dash"}
        shapes.append({"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": target, "y1": target, "line": dashed})
        over.append({"xref": "paper", "x": 0, "xanchor": "left", "y": target, "yanchor": "bottom", **small})
        over[-1]["text"] = escape(target_text)
    last = max((index for index, value in enumerate(values) if value is not None), default=None)
    if last is not None:
        end = values[last] or 0.0
        over.append({"x": last, "y": end, "xanchor": "right", "yanchor": "bottom", "yshift": 10, **small})
        over[-1]["text"] = f"<b>{escape(text_of(end))}</b>"
    reach = top or max([*known, target or 0.0, 0.0])
    y = _value_axis(colours, reach, axis_of or text_of, minutes, ends=top is not None)
    return _figure(colours, 280, [line], _day_axis(days), y, over, hovermode="x", shapes=shapes)


def bars(rows: Sequence[Bar], *, top: float | None = None) -> go.Figure:
    """Horizontal bars from zero; name and number stand above each, so that both have room on a phone.

    Args:
        top: the end of the scale, where it has one (5 stars).
    """
    colours = palette.current()
    end = top or max((row.value for row in rows), default=0) or 1
    bar = {
        "type": "bar",
        "orientation": "h",
        "x": [row.value for row in rows],
        "y": list(range(len(rows))),
        "marker": {"color": colours.primary, "line": {"width": 0}},
        "customdata": [[escape(row.label), escape(row.text)] for row in rows],
        "hovertemplate": "%{customdata[0]} : %{customdata[1]}<extra></extra>",
        **_UNFADED,
    }
    over = [
        {
            "x": 0,
            "y": place,
            "yshift": 15,
            "xanchor": "left",
            "xshift": -2,
            "showarrow": False,
            "text": f"{escape(row.label)}\u2002<b>{escape(row.text)}</b>",
            "font": {"color": colours.ink, "size": 13},
        }
        for place, row in enumerate(rows)
    ]
    y = {"range": [len(rows) - 0.6, -0.75], "showticklabels": False}
    x = {"range": [0, end], "showticklabels": False}
    margin = {"l": 0, "r": 4, "t": 8, "b": 0}
    height = _BAR_HEIGHT * len(rows) + 8
    return _figure(colours, height, [bar], x, y, over, bargap=0.68, margin=margin, hovermode="y")


def calibration(dots: Sequence[Dot], *, stated: str, seen: str, above: str, below: str) -> go.Figure:
    """Stated probability against what turned out right; on the diagonal both are the same. A dot is as large as its group.

    Args:
        stated, seen: names of the two axes.
        above, below: what a dot above and below the diagonal means.
    """
    colours = palette.current()
    most = max((dot.n for dot in dots), default=1)
    group = {
        "type": "scatter",
        "mode": "markers",
        "x": [dot.stated for dot in dots],
        "y": [dot.hit for dot in dots],
        "marker": {
            "color": colours.primary,
            "size": [8 + 20 * (dot.n / most) ** 0.5 for dot in dots],
            "opacity": 1,
            "line": {"width": 0},
        },
        "error_y": {
            "array": [dot.high - dot.hit for dot in dots],
            "arrayminus": [dot.hit - dot.low for dot in dots],
            "color": colours.primary,
            "thickness": 1.5,
            "width": 0,
        },
        "customdata": [escape(dot.text) for dot in dots],
        "hovertemplate": "%{customdata}<extra></extra>",
        "cliponaxis": False,
        **_UNFADED,
    }
    dashed = {"color": colours.faint, "width": 1.5, "dash": "dash"}
    shapes = [{"type": "line", "x0": 0, "y0": 0, "x1": 1, "y1": 1, "line": dashed, "layer": "below"}]
    small = {"showarrow": False, "font": {"size": 12, "color": colours.faint}, "xref": "paper", "yref": "paper"}
    over = [
        {**small, "x": 0.04, "y": 0.96, "xanchor": "left", "yanchor": "top", "text": escape(above)},
        {**small, "x": 0.96, "y": 0.04, "xanchor": "right", "yanchor": "bottom", "text": escape(below)},
    ]
    ticks = [0, 0.25, 0.5, 0.75, 1]
    axis = {"range": [-0.02, 1.06], "tickvals": ticks, "ticktext": [share(tick) for tick in ticks], "automargin": True}
    axis |= {"showgrid": True, "gridcolor": colours.line}
    title = {"font": {"size": 12, "color": colours.faint}, "standoff": 8}
    x = {**axis, "title": {**title, "text": escape(stated)}, "tickangle": 0, "ticklabeloverflow": "allow"}
    y = {**axis, "title": {**title, "text": escape(seen)}}
    margin = {"l": 0, "r": 16, "t": 24, "b": 8, "pad": 4}
    return _figure(colours, 340, [group], x, y, over, shapes=shapes, hovermode="closest", margin=margin)


# -- words of charts -------------------------------------------------------------------------------------------------------


def kind_word(kind: str) -> str:
    """A sentiment in a word, with its sign; messages that nobody analysed yet have none."""
    if not kind:
        return t("pas encore analysé")
    return f"{SENTIMENT_SIGNS[Sentiment(kind)]} {t(SENTIMENT_WORDS[Sentiment(kind)])}"


def kind_colour(kind: str, colours: Palette) -> str:
    """Its colour; the colour of lines for messages that nobody analysed yet."""
    return colours.sentiment(Sentiment(kind)) if kind else colours.line


def sentiment_key(counts: Mapping[str, Sequence[int]]) -> str:
    """The colour key of a stack, for the note under its message: a coloured square and a word each."""
    colours = palette.current()
    words = [
        f':color[■]{{foreground="{kind_colour(kind, colours)}"}} {plain(kind_word(kind))}'
        for kind in _STACK
        if kind in counts
    ]
    return "\u2003".join(words)


def count_text(count: int, total: int) -> str:
    """A count and its part of all: `38 · 12 %`."""
    return f"{number(count)} · {share(count / total)}" if total else number(count)


# -- showing ---------------------------------------------------------------------------------------------------------------


def show(figure: go.Figure, title: str, *, key: str, note: str = "", opens: Sequence[str] = ()) -> None:
    """The chart under its message.

    Args:
        title: the message, one sentence.
        note: the colour key or the way of counting, small, under the title; Markdown of ours.
        opens: for each bar, what a click opens (put in session state under `OPEN_KEY`); empty for a chart to look at.
    """
    with st.container(gap="xsmall"):
        st.markdown(f"**{plain(title)}**")
        if note:
            st.caption(note)
        if opens:
            st.plotly_chart(
                figure,
                theme=None,
                config=CONFIG,
                alt=title,
                key=key,
                on_select=lambda: _clicked(key, opens),
                selection_mode="points",
            )
        else:
            st.plotly_chart(figure, theme=None, config=CONFIG, alt=title, key=key)


def _clicked(key: str, opens: Sequence[str]) -> None:
    # Plotly answers the second click on the same bar with an empty selection: it means that bar again.
    points = st.session_state[key].selection.points
    place = points[0]["point_index"] if points else st.session_state.get(f"{key}:last")
    if not isinstance(place, int) or not 0 <= place < len(opens):
        return
    st.session_state[f"{key}:last"] = place
    if opens[place]:
        st.session_state[OPEN_KEY] = opens[place]
