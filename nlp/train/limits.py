"""The abstaining limits of a folder of weights, chosen on the fold that it never learnt: `python -m nlp.train.limits`.

Needs neither the network nor a text: gold.npz holds vectors and answers. Writes `abstain_below` into config.json.
"""

import json
import sys
from pathlib import Path

from nlp import artefact, gold
from nlp.train.calibrate import ABSTAINING, limits

SHARE = 0.15  # of the messages are uncertain, for either reason


def choose(folder: Path) -> dict[str, float]:
    """Limits under which `SHARE` of the gold messages have an uncertain answer."""
    settings, (heads, _) = artefact.read(folder), artefact.read_heads(folder)
    known = gold.read(settings.questions, folder)
    found = settings.probabilities(heads.logits(known.features), known.langs.tolist())
    return limits({key: dict(enumerate(found[key].max(axis=1).tolist())) for key in ABSTAINING}, SHARE)


def main(folder: Path) -> None:
    """Write the limits into config.json of the folder."""
    path = folder / "config.json"
    config = json.loads(path.read_text("utf-8")) | {"abstain_below": choose(folder)}
    path.write_text(json.dumps(config, indent=1, ensure_ascii=False), encoding="utf-8")
    sys.stdout.write(f"{config['abstain_below']}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else artefact.FOLDER)
