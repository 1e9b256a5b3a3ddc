"""What there is to learn from: people's answers and what they left alone, a row a message, an entry a question.

Labels of the desk lean to errors: a person writes one where a tag is wrong. Learnt as they stand, they would teach that every
tag is wrong. So messages that a person dealt with and left as they were come in too, as weak votes for the answer that was
there (`Role.LEFT`); how much they weigh is decided in nlp/learn.py. A new origin of labels is a new line in `_role`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from domain.label import Field, Label, Origin
from domain.mention import Mention, MentionId
from nlp import folds, languages
from nlp.artefact import Question
from nlp.embedded import prepare, says_something, whole_text
from nlp.gold import UNKNOWN, Numbers, encode, width

FOLDS = 5
HELD_BACK = 0  # the fold that nothing is ever learnt from
_SEED = 7


class Role(IntEnum):
    """How a row came to its answer to one question."""

    NONE = 0
    DRAWN = 1  # on the labelling page: right and wrong tags as they come
    CONFIRMED = 2  # on the desk, as the model had said
    CORRECTED = 3  # on the desk, otherwise than the model had said
    LEFT = 4  # a person dealt with the message and did not touch this tag


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One question's entries, one a row.

    Attributes:
        answers: n x columns as in `nlp.gold`; -1 where nobody answered.
        trust: how far an answer counts: the share of the people asked who gave it; 0 where nobody answered.
        roles: `Role` of each row.
        met: the heads in use may have learnt from this very answer.
    """

    answers: Numbers
    trust: NDArray[np.float64]
    roles: NDArray[np.int64]
    met: NDArray[np.bool_]

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Rows that a person answered."""
        found: NDArray[np.bool_] = self.trust > 0
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Lessons:
    """Messages to learn from, without their vectors.

    Attributes:
        texts: raw, title and text as the model reads them together.
        groups: a number each, equal within a conversation and among near copies.
        folds: 0..4, the same for a whole group; `HELD_BACK` is never learnt from.
    """

    texts: tuple[str, ...]
    langs: tuple[str, ...]
    groups: Numbers
    folds: Numbers
    asked: Mapping[str, Asked]

    def __len__(self) -> int:
        return len(self.texts)


def gather(
    labels: Iterable[Label],
    mentions: Mapping[MentionId, Mention],
    left_alone: Iterable[Mention],
    questions: Mapping[str, Question],
    *,
    model: str,
    learnt_at: datetime | None = None,
) -> Lessons:
    """Labels and messages as rows, the oldest message first.

    Args:
        mentions: of the labels; a label whose message is gone is left out.
        left_alone: read by `model`, dealt with by a person, without any label.
        model: in use; only tags that it gave can have been left alone.
        learnt_at: when the heads in use were learnt, where they were.
    """
    by_mention: dict[MentionId, list[Label]] = defaultdict(list)
    for label in labels:
        if label.retracted_at is None and label.mention_id in mentions:
            by_mention[label.mention_id].append(label)
    known = {mention.id: mention for mention in left_alone} | {key: mentions[key] for key in by_mention}
    rows = sorted(known.values(), key=lambda mention: (mention.created_at, mention.id))
    said = [prepare(whole_text(mention.title, mention.text)) for mention in rows]
    kept = [place for place, text in enumerate(said) if says_something(text)]
    rows, said = [rows[place] for place in kept], [said[place] for place in kept]
    groups = folds.groups(said, [mention.thread_id for mention in rows])
    drawn = [folds.draw(folds.text_key(said[group]), _SEED, FOLDS) for group in groups]
    given = [by_mention.get(mention.id, []) for mention in rows]
    held = np.asarray(drawn, np.int64)
    return Lessons(
        texts=tuple(whole_text(mention.title, mention.text) for mention in rows),
        langs=tuple(languages.identify(text, mention.lang_hint) for text, mention in zip(said, rows, strict=True)),
        groups=np.asarray(groups, np.int64),
        folds=held,
        asked={key: _asked(question, given, held, model, learnt_at) for key, question in questions.items()},
    )


def _asked(
    question: Question, given: Sequence[Sequence[Label]], held: Numbers, model: str, learnt_at: datetime | None
) -> Asked:
    field, count = Field(question.key), len(given)
    answers = np.full((count, width(question)), UNKNOWN, np.int64)
    trust, roles = np.zeros(count), np.full(count, Role.NONE, np.int64)
    met = np.zeros(count, np.bool_)
    for place, labels in enumerate(given):
        own = sorted((label for label in labels if label.field is field), key=lambda label: (label.at, label.id))
        answer = encode(question, own[-1].value) if own else None
        if answer is not None:  # as everywhere, the latest answer counts
            answers[place] = answer
            trust[place] = sum(label.value == own[-1].value for label in own) / len(own)
            roles[place] = _role(own[-1])
            met[place] = learnt_at is not None and own[-1].at <= learnt_at and held[place] != HELD_BACK
        elif not own and all(label.origin is Origin.DESK and label.model == model for label in labels):
            roles[place] = Role.LEFT  # somebody dealt with this message, and if with its tags, then with others
    return Asked(answers, trust, roles, met)


def _role(label: Label) -> Role:
    if label.origin is Origin.LABELLING or label.was is None:
        return Role.DRAWN
    return Role.CONFIRMED if label.value == label.was else Role.CORRECTED
