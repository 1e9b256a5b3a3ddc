"""HubAnalyzer: some questions answered by models of the retailer's choice, the others by the analyzer that it stands on.

Which model answers which question is a table of the settings a question (`HubHead`, docs/hub-models.md); here their labels
become our tags. Models are opened in nlp/hub_model.py; the words of zero-shot models are in nlp/zero_shot.py.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from typing import Any

from domain.analysis import Analysis, ModelRef, Scored, Sentiment
from domain.contracts import Analyzer
from domain.errors import ConfigurationError
from domain.label import MAX_ASPECTS, MAX_SECONDARY, URGENCIES, Field
from domain.mention import Mention
from domain.taxonomy import ASPECT_BY_KEY, INTENT_BY_KEY
from nlp import zero_shot
from nlp.embedded import EmbeddedAnalyzer, prepare, says_something, whole_text
from nlp.hub_model import HubHead, OpenModel, Task, open_model

YES, NO = "yes", "no"
FLAGS = (Field.CHURN, Field.TOXIC, Field.IRONY, Field.DIRECTED)
MOST = {Field.ASPECTS: MAX_ASPECTS, Field.SECONDARY: MAX_SECONDARY}  # questions with several answers
ANSWERS: Mapping[Field, tuple[str, ...]] = {
    Field.SENTIMENT: tuple(sentiment.value for sentiment in Sentiment),
    Field.INTENT: tuple(INTENT_BY_KEY),
    Field.SECONDARY: tuple(INTENT_BY_KEY),
    Field.ASPECTS: tuple(ASPECT_BY_KEY),
    Field.URGENCY: tuple(str(level) for level in URGENCIES),
} | dict.fromkeys(FLAGS, (YES, NO))

Probabilities = dict[str, float]
Ask = Callable[
    [Sequence[str], Sequence[str]], list[Probabilities]
]  # texts and their languages -> answer -> probability
Opener = Callable[[HubHead, str], OpenModel]


@dataclass(frozen=True, slots=True)
class _Part:
    # One question and who answers it; `identity` holds all that its answers depend on.
    field: Field
    head: HubHead
    ask: Ask
    identity: Mapping[str, Any]


class HubAnalyzer:
    """Asks `base` first, then each part; a text without anything in it is left to `base`."""

    def __init__(self, base: Analyzer, parts: Sequence[_Part]) -> None:
        self._base = base
        # In the order of the questions: secondary intents come after the first one.
        self._parts = sorted(parts, key=lambda part: list(Field).index(part.field))
        identity = json.dumps([[part.field, part.identity] for part in self._parts], sort_keys=True)
        digest = blake2b(identity.encode(), digest_size=6).hexdigest()
        self._model = ModelRef(f"{base.model.name}+hub", f"{base.model.version}+{digest}")

    @property
    def model(self) -> ModelRef:
        """The analyzer below with its version, and a digest of every model, map and text of the parts."""
        return self._model

    @property
    def parts(self) -> Mapping[str, str]:
        """Question -> the model that answers it, with its commit or the digest of its folder."""
        return {part.field.value: str(part.identity["model"]) for part in self._parts}

    def analyze(self, mentions: Sequence[Mention]) -> list[Analysis]:
        """One analysis a mention, in order; what no part answers, `signals` included, is the word of `base`."""
        answers = [replace(answer, model=self._model) for answer in self._base.analyze(mentions)]
        texts = [prepare(whole_text(mention.title, mention.text)) for mention in mentions]
        places = [place for place, text in enumerate(texts) if says_something(text)]
        if not places:
            return answers
        said, langs = [texts[place] for place in places], [answers[place].lang for place in places]
        for place in places:
            answers[place] = replace(answers[place], uncertain=self._still_doubtful(answers[place]))
        for part in self._parts:
            for place, probabilities in zip(places, part.ask(said, langs), strict=True):
                answers[place] = _told(answers[place], part.field, part.head, probabilities)
        return answers

    def _still_doubtful(self, answer: Analysis) -> bool:
        # The embedded analyzer doubts because of single questions; where another model answers one, that doubt is moot.
        if not answer.uncertain or not isinstance(self._base, EmbeddedAnalyzer):
            return answer.uncertain
        sure = {Field.SENTIMENT: answer.sentiment.p, Field.INTENT: answer.intent.p}
        asked = {part.field for part in self._parts}
        limits = self._base.artefact.abstain_below
        low = {field for field, p in sure.items() if p < limits.get(field.value, 0.0)}
        return not low or bool(low - asked)


def load(base: Analyzer, heads: Mapping[str, Mapping[str, Any]], opener: Opener = open_model) -> HubAnalyzer:
    """The analyzer with these heads on `base`, every model loaded.

    Args:
        heads: question (a `Field`) -> the fields of its HubHead.

    Raises:
        ConfigurationError: a head cannot do what the settings ask; the message names the table and what to change.
    """
    opened: dict[tuple[str, ...], OpenModel] = {}

    def open_once(head: HubHead, where: str) -> OpenModel:
        key = (head.model, head.revision, head.task, head.device)
        if key not in opened:  # a model that answers several questions is in memory once
            opened[key] = opener(head, where)
        return opened[key]

    parts = []
    for key, values in heads.items():
        head = HubHead(**values)
        where = f"[analyzer_hub.{key}]"
        if key not in set(Field):
            raise ConfigurationError(f"{where}: there is no question “{key}”. Choose among: {', '.join(Field)}.")
        if head.task not in set(Task):
            raise ConfigurationError(f"{where}: there is no task “{head.task}”. Choose {' or '.join(Task)}.")
        if (head.task == Task.ZERO_SHOT and head.labels) or (
            head.task == Task.CLASSIFY and (head.candidates or head.hypothesis)
        ):
            raise ConfigurationError(
                f"{where}: `labels` belongs to {Task.CLASSIFY}, `candidates` and `hypothesis` to {Task.ZERO_SHOT}; "
                f"the task here is {head.task}. Change one or the other."
            )
        make = _zero_shot if head.task == Task.ZERO_SHOT else _classifier
        parts.append(make(Field(key), head, where, open_once))
    return HubAnalyzer(base, parts)


def _part(field: Field, head: HubHead, opened: OpenModel, ask: Ask, **identity: Any) -> _Part:
    same = {key: value for key, value in asdict(head).items() if key in {"task", "threshold", "uncertain_below"}}
    return _Part(field, head, ask, {**same, **identity, "model": opened.fingerprint})


def _classifier(field: Field, head: HubHead, where: str, opener: Opener) -> _Part:
    opened = opener(head, where)
    answer_of = _label_map(field, head, opened, where)
    join: Callable[[list[float]], float] = max if opened.independent else sum

    def ask(texts: Sequence[str], langs: Sequence[str]) -> list[Probabilities]:  # noqa: ARG001 - the model reads all
        return [_joined(scores, answer_of, join) for scores in opened.classify(texts, head.batch)]

    return _part(field, head, opened, ask, labels=answer_of)


def _joined(scores: Probabilities, answer_of: Mapping[str, str], join: Callable[[list[float]], float]) -> Probabilities:
    found: dict[str, list[float]] = {}
    for label, score in scores.items():
        found.setdefault(answer_of[label], []).append(score)
    return {answer: join(values) for answer, values in found.items()}


def _label_map(field: Field, head: HubHead, opened: OpenModel, where: str) -> dict[str, str]:
    """The model's label -> our answer, for every label; an empty answer leaves a label out."""
    answers, labels = ANSWERS[field], opened.labels
    known = {label: label.lower() for label in labels if label.lower() in answers} | dict(head.labels)
    strange = [label for label in head.labels if label not in labels]
    missing = [label for label in labels if label not in known]
    wrong = [answer for answer in known.values() if answer not in answers and not (answer == "" and field in MOST)]
    if strange or missing:
        which = "the map names labels that it does not have" if strange else "the map leaves out labels of it"
        raise ConfigurationError(
            f"{where}: {head.model} answers {_list(labels)}; {which}: {_list(strange or missing)}. "
            f"Write them in `labels`, each with one of: {_list(answers)}."
        )
    if wrong:
        raise ConfigurationError(f"{where}: “{wrong[0]}” is no answer to “{field}”. Choose among: {_list(answers)}.")
    reached = sorted(set(known.values()) - {""})
    alone = field in MOST or (field in FLAGS and opened.independent)
    if len(reached) < (1 if alone else 2) or (field in FLAGS and YES not in reached):
        raise ConfigurationError(
            f"{where}: with this map the answer would always be the same ({_list(reached) or 'none'}). Mend `labels`."
        )
    return {label: known[label] for label in labels}


def _zero_shot(field: Field, head: HubHead, where: str, opener: Opener) -> _Part:
    tables = {lang: _words(field, head, lang, where) for lang in _langs(field, head)}
    if not tables:
        raise ConfigurationError(
            f"{where}: there are no words to ask “{field}” with. Write `candidates` and `hypothesis` for fr and en."
        )
    opened = opener(head, where)
    other = "en" if "en" in tables else next(iter(tables))

    def ask(texts: Sequence[str], langs: Sequence[str]) -> list[Probabilities]:
        found: list[Probabilities] = [{} for _ in texts]
        spoken = [lang if lang in tables else other for lang in langs]
        for lang in sorted(set(spoken)):
            sentence, answer_of = tables[lang]
            places = [place for place, used in enumerate(spoken) if used == lang]
            asked = [texts[place] for place in places]
            told = opened.entails(asked, list(answer_of), sentence, head.batch, several=field in MOST)
            for place, scores in zip(places, told, strict=True):
                found[place] = {answer_of[words]: score for words, score in scores.items()}
        return found

    return _part(field, head, opened, ask, words=tables)


def _langs(field: Field, head: HubHead) -> list[str]:
    shipped = {lang for lang, tables in zero_shot.CANDIDATES.items() if field in tables}
    return sorted(shipped | set(head.candidates) | set(head.hypothesis))


def _words(field: Field, head: HubHead, lang: str, where: str) -> tuple[str, dict[str, str]]:
    """The sentence of a language, and words -> answer."""
    shipped = zero_shot.CANDIDATES.get(lang, {}).get(field, {})
    words = {**shipped, **head.candidates.get(lang, {})}
    sentence = head.hypothesis.get(lang) or zero_shot.HYPOTHESES.get(lang, {}).get(field, "")
    wrong = [answer for answer in words if answer not in ANSWERS[field]]
    missing = [answer for answer in ANSWERS[field] if not words.get(answer, "").strip()]
    if wrong:
        raise ConfigurationError(
            f"{where}: “{wrong[0]}” is no answer to “{field}”. `candidates.{lang}` may name: {_list(ANSWERS[field])}."
        )
    if missing:
        raise ConfigurationError(f"{where}: `candidates.{lang}` has no words for {_list(missing)}. Write them.")
    if sentence.count("{}") != 1 or set(sentence.replace("{}", "")) & set("{}"):
        raise ConfigurationError(f"{where}: `hypothesis.{lang}` must be a sentence with one {{}} where the words go.")
    if len(set(words.values())) < len(words):
        raise ConfigurationError(f"{where}: two answers of `candidates.{lang}` have the same words. Tell them apart.")
    return sentence, {text: answer for answer, text in words.items()}


def _list(items: Sequence[str]) -> str:
    return ", ".join(items)


def _told(answer: Analysis, field: Field, head: HubHead, found: Probabilities) -> Analysis:
    """The analysis with the part's answer to its question in it."""
    if field in MOST:
        return _told_many(answer, field, head, found)
    if field in FLAGS:
        changed = replace(answer, **{field.value: found[YES] >= head.threshold})  # type: ignore[arg-type]
        return replace(changed, uncertain=answer.uncertain or max(found[YES], 1 - found[YES]) < head.uncertain_below)
    total = sum(found.values())
    shares = {key: found.get(key, 0.0) / total for key in ANSWERS[field]}
    best = max(shares, key=lambda key: shares[key])
    doubtful = answer.uncertain or shares[best] < head.uncertain_below
    if field is Field.SENTIMENT:
        three = {f"p_{key}": shares[key] for key in ANSWERS[field]}
        return replace(answer, uncertain=doubtful, **three)  # type: ignore[arg-type]
    if field is Field.URGENCY:
        return replace(answer, uncertain=doubtful, urgency=int(best))
    others = tuple(key for key in answer.secondary if key != best)
    return replace(answer, uncertain=doubtful, intent=Scored(best, shares[best]), secondary=others)


def _told_many(answer: Analysis, field: Field, head: HubHead, found: Probabilities) -> Analysis:
    without = {answer.intent.value, "other"} if field is Field.SECONDARY else set()
    likely = [key for key in ANSWERS[field] if found.get(key, 0.0) >= head.threshold and key not in without]
    kept = sorted(likely, key=lambda key: -found[key])[: MOST[field]]
    tags = tuple(key for key in likely if key in kept)
    return replace(answer, **{field.value: tags})  # type: ignore[arg-type]
