"""The golden file: messages with the answers that the shipped model gave, so that a change of an answer is never an accident.

`python -m nlp.golden` reads tests/nlp/golden.jsonl and writes golden_answers.json beside it; run it whenever the weights
are replaced, and look at what changed. The test that compares is tests/nlp/test_embedded.py.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from domain.contracts import Analyzer
from domain.mention import Mention
from nlp.tagging import FIELDS

MESSAGES = Path("tests/nlp/golden.jsonl")
CLOSE = 0.0002  # twice what four digits round away
# Sums are rounded in another order by another processor; where a value then falls on the other side of a step of the eight
# bits, an answer moves. Between an Intel with AVX-512 and an AMD with AVX2: 10 of 140 messages, by 0.024 at most.
ACROSS_PROCESSORS = 0.03
_DIGITS = 4
_SAID_AT = datetime(2026, 1, 1, tzinfo=UTC)

Answer = dict[str, Any]


def messages(path: Path = MESSAGES) -> dict[str, Mention]:
    """Id -> message, in the order of the file."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return {
        row["id"]: Mention("golden", row["id"], row["text"], _SAID_AT, title=row.get("title", ""), lang_hint=None)
        for row in rows
    }


def answers(analyzer: Analyzer, said: Mapping[str, Mention]) -> dict[str, Answer]:
    """Id -> every tag but the model's name, probabilities to four digits."""
    found = analyzer.analyze(list(said.values()))
    return {
        key: {name: _rounded(tell(one)) for name, tell in FIELDS.items() if name != "model"}
        for key, one in zip(said, found, strict=True)
    }


def differences(stored: Mapping[str, Answer], found: Mapping[str, Answer], close: float = CLOSE) -> list[str]:
    """In words, what is not as it was stored: probabilities beyond `close`, tags at all."""
    told = [f"{key}: not stored" for key in found if key not in stored]
    for key, answer in stored.items():
        for name, was in answer.items():
            now = found.get(key, {}).get(name)
            near = isinstance(was, float) and isinstance(now, float) and abs(was - now) <= close
            if was != now and not near:
                told.append(f"{key}, {name}: {was} was stored, {now} was said")
    return told


def _rounded(value: Any) -> Any:
    return round(value, _DIGITS) if isinstance(value, float) else value


def main(arguments: Sequence[str]) -> None:
    """Write the answers of the shipped model."""
    from nlp.embedded import load

    path = Path(arguments[0]) if arguments else MESSAGES
    analyzer = load()
    found = answers(analyzer, messages(path))
    out = path.with_name(f"{path.stem}_answers.json")
    lines = (f"  {json.dumps(key)}: {json.dumps(answer, ensure_ascii=False)}" for key, answer in found.items())
    text = f'{{"model": {json.dumps(str(analyzer.model))},\n "answers": {{\n' + ",\n".join(lines) + "\n }}\n"
    out.write_text(text, "utf-8")
    sys.stdout.write(f"{len(found)} answers of {analyzer.model} written to {out}. Look at what changed (git diff).\n")


if __name__ == "__main__":
    main(sys.argv[1:])
