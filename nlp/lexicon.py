"""LexiconAnalyzer: sentiment, intent and the rest from word lists, French and English, without a trained network.

The honest baseline: offline, the same answer for a text whatever stands beside it. Words are in lexicons/*.txt, counting
in nlp/cues.py; here the counts become an Analysis. To change how much a count weighs, edit lexicons/weights.tsv.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from domain.analysis import Analysis, ModelRef, Scored
from domain.contracts import Analyzer
from domain.mention import Mention, MentionKind
from domain.taxonomy import ASPECTS, INTENTS
from nlp.cues import Reading, lexicon_files, lexicon_for, read_cues
from nlp.patterns import read_lexicon_files
from nlp.rating import with_ratings
from nlp.text import Tokens, clip, fold, language_of, normalise, tokenise

_RULES_VERSION = "1"  # grows with every change of the rules in nlp/*.py; changes of the lists are seen by themselves
_WEIGHTS_FILE = "weights.tsv"
_POLITE = frozenset({"bonjour", "bonsoir", "svp", "salut", "hi", "hello", "please", "dear"})
_FAINT = 1.1  # an intent this weak hardly stands on a cue
_CLEAR = 1.5  # polarity of a word that leaves no doubt
_WORDS_TO_JUDGE = 3  # fewer words in an unknown language are no reason to call a person
_KNOWN_TROUBLE = frozenset(
    {"complaint_service", "order_delivery_issue", "product_defect", "refund_return", "billing_account_issue"}
)
_MONEY = frozenset({"refund_return", "billing_account_issue"})

Features = dict[str, float]


@dataclass(frozen=True, slots=True)
class _Weights:
    """A multinomial logit: columns are answers, rows are counts; (column, weight) where the weight is not 0."""

    labels: tuple[str, ...]
    rows: Mapping[str, tuple[tuple[int, float], ...]]

    def probabilities(self, features: Features) -> dict[str, float]:
        """Answer -> probability, sum 1."""
        sums = [0.0] * len(self.labels)
        for name, row in self.rows.items():
            value = features[name]
            if value:
                for place, weight in row:
                    sums[place] += weight * value
        top = max(sums)
        powers = [math.exp(score - top) for score in sums]
        total = sum(powers)
        return {label: power / total for label, power in zip(self.labels, powers, strict=True)}


class LexiconAnalyzer:
    """Reads mentions with several thousand cues; holds nothing but compiled lists, so the same text gets the same."""

    def __init__(self) -> None:
        self._model = ModelRef("lexicon", f"{_RULES_VERSION}.{_lists_fingerprint()}")
        self._sentiment, self._intent = _read_weights()

    @property
    def model(self) -> ModelRef:
        """Changes with the rules and with every edit of a list."""
        return self._model

    def analyze(self, mentions: Sequence[Mention]) -> list[Analysis]:
        """One analysis a mention, in order; title and text are read together, stars only where there are no words."""
        return with_ratings(mentions, [self._analyze_one(mention) for mention in mentions])

    def _analyze_one(self, mention: Mention) -> Analysis:
        text = normalise(clip(_whole_text(mention)))
        tokens = tokenise(text)
        lang = language_of(text, tokens.words, mention.lang_hint)
        reading, ironic, features = _weigh(lang, tokens)
        negative, neutral, positive = self._sentiment.probabilities(features).values()
        intent_ps = self._intent.probabilities(features)
        intent = max(intent_ps, key=lambda key: (intent_ps[key], key == "other"))
        wrong = bool(features["wrong"])
        return Analysis(
            mention_id=mention.id,
            model=self._model,
            lang=lang,
            p_negative=negative,
            p_neutral=neutral,
            p_positive=positive,
            intent=Scored(intent, intent_ps[intent]),
            secondary=_secondary(intent_ps, intent, features),
            aspects=_aspects(reading),
            urgency=_urgency(intent, reading, wrong=wrong, negative=negative),
            churn=reading.signal("churn") > 0 and intent != "praise_thanks" and positive < 0.6,
            toxic=reading.signal("toxic") > 0,
            irony=ironic,
            directed=_directed(mention, intent, reading, tokens),
            uncertain=_uncertain(lang, tokens, reading, (negative, neutral, positive), intent_ps),
        )


def load() -> Analyzer:
    """The analyzer, its lists compiled."""
    analyzer = LexiconAnalyzer()
    for lang in ("fr", "en"):
        lexicon_for(lang)
    return analyzer


def _lists_fingerprint() -> str:
    names = sorted({*lexicon_files("fr"), *lexicon_files("en"), "languages.txt", _WEIGHTS_FILE})
    return blake2b("\0".join(read_lexicon_files(*names)).encode(), digest_size=4).hexdigest()


def _read_weights() -> tuple["_Weights", "_Weights"]:
    """The tables of sentiment and of intents. An intent that has no column yet gets no probability."""
    tables: dict[str, _Weights] = {}
    for section in read_lexicon_files(_WEIGHTS_FILE)[0].split("[")[1:]:
        name, _, body = section.partition("]")
        header, *lines = (line.split("\t") for line in body.strip().splitlines())
        rows = {
            count: tuple((place, float(value)) for place, value in enumerate(values) if float(value))
            for count, *values in lines
        }
        tables[name] = _Weights(tuple(header[1:]), rows)
    return tables["sentiment"], tables["intent"]


def _whole_text(mention: Mention) -> str:
    title = mention.title.strip()
    if not title or fold(title[:40]) in fold(mention.text[:200]):
        return mention.text
    return f"{title}.\n{mention.text}"


def _read(lang: str, tokens: Tokens) -> Reading:
    if lang != "und":
        return read_cues(lexicon_for(lang), tokens)
    readings = [read_cues(lexicon_for(known), tokens) for known in ("fr", "en")]
    return max(readings, key=lambda reading: (reading.cue_count, len(reading.intents)))


def _weigh(lang: str, tokens: Tokens) -> tuple[Reading, bool, Features]:
    reading = _read(lang, tokens)
    ironic = _ironic(reading, tokens)
    if ironic:
        _turn_round(reading)
    return reading, ironic, _features(reading, tokens)


def _features(reading: Reading, tokens: Tokens) -> Features:
    """The counts as numbers of about 0..1, named as in weights.tsv."""
    words, signal = tokens.words, reading.signal
    wrong = signal("problem") > 0 or reading.negative > 1.2 or signal("impatience") > 0
    evidence = wrong or reading.negative > 0 or signal("urgent2") > 0
    features = {
        "bias": 1.0,
        "positive": math.log1p(reading.positive),
        "negative": math.log1p(reading.negative),
        "problem": min(signal("problem"), 4) / 4,
        "impatience": min(signal("impatience"), 4) / 4,
        "question": float("?" in words),
        "questions": float("??" in words),
        "exclamation": float("!" in words),
        "thanks": float(signal("thanks") > 0),
        "irony": min(signal("irony"), 2) / 2,
        "toxic": float(signal("toxic") > 0),
        "wry": float(signal("wry") > 0),
        "urgent2": min(signal("urgent2"), 3) / 3,
        "urgent3": float(signal("urgent3") > 0),
        "churn": float(signal("churn") > 0),
        "polite": float(not _POLITE.isdisjoint(words)),
        "short": float(len(words) <= 6),
        "wrong": float(wrong),
        "trouble_length": math.log1p(len(words)) / 5 if evidence else 0.0,
    }
    for intent, strength in _intent_strengths(reading, wrong=wrong).items():
        features[intent] = min(strength, 7.0) / 3
        features[f"log_{intent}"] = math.log1p(strength)
    features["strongest"] = max(features[f"log_{intent.key}"] for intent in INTENTS)
    features["flat"] = float(
        not (evidence or reading.positive or signal("toxic") or signal("irony") or signal("churn"))
    )
    return features


def _intent_strengths(reading: Reading, *, wrong: bool) -> dict[str, float]:
    """Intent -> strength, after what polarity says of the cues: words of praise that are negated praise nothing."""
    strengths = {
        intent.key: reading.intents.get(intent.key, 0.0)
        + (reading.intents_if_wrong.get(intent.key, 0.0) if wrong else 0.0)
        for intent in INTENTS
    }
    polarity = reading.positive + reading.negative
    if polarity:
        strengths["praise_thanks"] *= reading.positive / polarity
    if max(strengths.values()) < _FAINT:
        if reading.positive > _CLEAR and not reading.negative:
            strengths["praise_thanks"] = 2.0
        elif reading.negative >= _CLEAR and not reading.positive:
            strengths["complaint_service"] = 2.0
    return strengths


def _secondary(intent_ps: Mapping[str, float], intent: str, features: Features) -> tuple[str, ...]:
    others = [
        key for key, p in intent_ps.items() if key not in {intent, "other"} and features[key] >= 0.7 and p >= 0.08
    ]
    return tuple(sorted(others, key=lambda key: -intent_ps[key])[:2])


def _aspects(reading: Reading) -> tuple[str, ...]:
    found = [aspect.key for aspect in ASPECTS if reading.aspects.get(aspect.key, 0) > 0]
    return tuple(sorted(found, key=lambda key: -reading.aspects[key])[:3])


def _urgency(intent: str, reading: Reading, *, wrong: bool, negative: float) -> int:
    """0..3 by what is at stake: nothing, something unresolved, money, time or blocking, people's safety."""
    if reading.signal("urgent3") > 0 and intent not in {"spam_promo", "praise_thanks"}:
        return 3
    trouble = intent in _KNOWN_TROUBLE or intent == "churn_threat"
    unresolved = (trouble and (wrong or negative > 0.3)) or (intent == "other" and negative > 0.4)
    settled = reading.signal("solved") > 0 and reading.signal("impatience") == 0
    if settled or not unresolved:
        return 0
    pressing = (
        reading.signal("urgent2") > 0
        or reading.signal("impatience") >= 2
        or (intent in _MONEY and negative > 0.55)
        or (reading.signal("problem") >= 3 and negative > 0.6)
    )
    return 2 if pressing else 1


def _ironic(reading: Reading, tokens: Tokens) -> bool:
    """True for turns that are only used so, and for applause over a trouble in few words. Cautious on purpose."""
    if reading.signal("irony") > 0:
        return True
    trouble = reading.signal("problem") > 0 or reading.negative >= 2
    applause = reading.signal("bravo")
    wry = reading.signal("wry") > 0 and reading.positive > 0
    return trouble and (applause >= 1 or wry) and reading.signal("turn") == 0 and len(tokens.words) <= 30


def _turn_round(reading: Reading) -> None:
    """Take an ironic text for what it means: its praise is blame."""
    reading.negative = max(reading.negative + reading.positive, 2.0)
    reading.positive = 0.0
    reading.signals["irony"] = max(reading.signal("irony"), 1.0)


def _directed(mention: Mention, intent: str, reading: Reading, tokens: Tokens) -> bool:
    """False where nobody speaks: articles, news, advertising. In doubt True, for a person must not go unheard."""
    if mention.kind is MentionKind.ARTICLE:
        return False
    if reading.signal("own") > 0 or "@user" in tokens.words:
        return True
    nobody = intent in {"other", "spam_promo"} and len(tokens.words) > 6 and "?" not in tokens.words
    return not nobody and reading.signal("news") == 0


def _uncertain(
    lang: str, tokens: Tokens, reading: Reading, sentiment: tuple[float, float, float], intent_ps: Mapping[str, float]
) -> bool:
    """True where a person should look: a language that we do not read, or evidence that points both ways."""
    word_count = sum(word.isalpha() for word in tokens.words)
    if lang == "und":
        return word_count >= _WORDS_TO_JUDGE and reading.cue_count == 0
    if not reading.cue_count and not reading.intents:
        return False  # a flat text is flat: nobody has to look
    torn = min(sentiment[0], sentiment[2]) > 0.32
    first, second = sorted((*intent_ps.values(), 0.0), reverse=True)[:2]
    return torn or max(sentiment) < 0.4 or first < 0.2 or (first - second < 0.02 and first < 0.4)
