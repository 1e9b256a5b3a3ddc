"""What a person does on the labelling page: begin a pile, answer, pass, go back; each checked, done by the store. No Streamlit.

A `Sitting` is one person's way through one pile; it lives in the session, while answers are kept at once: whatever happens
to the session, nothing that was answered is lost. Acts name the message that they are about, so that a second click on the
same button, or one from a page that is out of date, does nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from dashboard.acts import NotYoursError
from dashboard.context import Context
from dashboard.i18n import t
from domain.case import RuleError
from domain.label import Field, Label, LabelValue, Origin, checked
from domain.mention import MentionId
from store.labelling import Item, LabellingScope, Pile

SIZES = (20, 50, 100)
PERIODS = (7, 30, 90, 0)  # days; 0 is everything

# Quality is measured on labels whose messages were drawn at random. The instructive pile leans towards what the model gets
# wrong, as corrections at the desk do: its answers are kept as such, to learn from and not to measure by.
ORIGINS: Mapping[Pile, Origin] = {Pile.SAMPLE: Origin.LABELLING, Pile.INSTRUCTIVE: Origin.DESK}


@dataclass(slots=True)
class Sitting:
    """One person's way through one pile.

    Attributes:
        place: how many messages lie behind; at the end, as many as there are.
        given: message -> the labels that this sitting gave it; passed ones have none.
        answers: message -> what was answered, to be shown again after going back.
    """

    viewer: str
    pile: Pile
    ids: list[MentionId]
    place: int = 0
    given: dict[MentionId, list[Label]] = field(default_factory=dict)
    answers: dict[MentionId, dict[str, Any]] = field(default_factory=dict)

    @property
    def current(self) -> MentionId | None:
        """The message on screen; None at the end."""
        return self.ids[self.place] if self.place < len(self.ids) else None

    @property
    def labels(self) -> list[Label]:
        """All that stands, in the order of the pile."""
        return [label for mention_id in self.ids for label in self.given.get(mention_id, ())]


def scope_of(context: Context, days: int) -> LabellingScope:
    """The viewer's own departments, and the last so many days; 0 is everything."""
    since = context.now - timedelta(days=days) if days else None
    return LabellingScope(departments=context.viewer.departments, since=since)


def begin(context: Context, pile: Pile, count: int, days: int) -> Sitting:
    """A new pile; an empty one where there is nothing left to read."""
    count = count if count in SIZES else SIZES[0]
    ids = context.store.labelling.draw(pile, context.viewer.name, count, scope_of(context, days))
    return Sitting(context.viewer.name, pile, ids)


def on_screen(context: Context, sitting: Sitting) -> Item | None:
    """The message to read now; None at the end. Messages that have left since, or went to another department, are passed."""
    while sitting.current is not None:
        item = context.store.labelling.item(sitting.current)
        if item is not None and context.viewer.sees(item.department):
            return item
        sitting.place += 1
    return None


def give(context: Context, sitting: Sitting, mention_id: str, raw: Any) -> bool:
    """Keep the viewer's answers about the message on screen and go on; False where another message is on screen.

    Raises:
        RuleError: an answer is missing or does not fit.
        NotYoursError: the message is not in one of the viewer's departments.
    """
    current = _checked(context, sitting, mention_id)
    if current is None:
        return False
    answers = answers_of(raw)
    sitting.given[current] = context.store.labels.put(
        current, answers, by=context.viewer.name, at=context.now, origin=ORIGINS[sitting.pile]
    )
    sitting.answers[current] = {asked.value: raw[asked.value] for asked in Field}
    sitting.place += 1
    return True


def skip(context: Context, sitting: Sitting, mention_id: str) -> bool:
    """Leave the message on screen unanswered and go on."""
    if _checked(context, sitting, mention_id) is None:
        return False
    sitting.place += 1
    return True


def back(context: Context, sitting: Sitting, mention_id: str) -> bool:
    """To the message before, its answers taken back; False at the beginning, or where another message is on screen."""
    if sitting.viewer != context.viewer.name or not sitting.place or mention_id != (sitting.current or ""):
        return False
    before = sitting.ids[sitting.place - 1]
    given = sitting.given.get(before, [])
    if given:
        context.store.labels.retract([label.id for label in given], by=context.viewer.name, at=context.now)
        del sitting.given[before]
    sitting.place -= 1
    return True


def _checked(context: Context, sitting: Sitting, mention_id: str) -> MentionId | None:
    if sitting.viewer != context.viewer.name:
        raise NotYoursError(t("Cette pile a été commencée par une autre personne. Recommencez la vôtre."))
    current = sitting.current
    if current is None or mention_id != current:
        return None
    item = context.store.labelling.item(current)
    if item is None or not context.viewer.sees(item.department):
        raise NotYoursError(t("Ce message n'est plus dans votre service, ou n'existe plus. Passez au suivant."))
    return current


def answers_of(raw: Any) -> dict[Field, LabelValue]:
    """What a browser sent, as answers to all questions. Raises RuleError where one is missing or does not fit."""
    if not isinstance(raw, Mapping) or any(asked.value not in raw for asked in Field):
        raise RuleError(t("Il manque une réponse. Rien n'a été gardé ; complétez, puis validez."))
    found = {asked: checked(asked, raw[asked.value]) for asked in Field}
    secondary = found[Field.SECONDARY]
    if isinstance(secondary, tuple) and found[Field.INTENT] in secondary:
        raise RuleError(t("La même intention est choisie deux fois. Rien n'a été gardé ; ôtez-en une, puis validez."))
    return found
