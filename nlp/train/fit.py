"""Fine-tuning: all heads at once, in steps that can be interrupted and resumed, with seeds that are pinned.

Two threads take half of each batch each, which on two cores is faster than two threads inside each product. Answers
are measured with a moving average of the weights. The order of rows is in plan.py, the loss in loss.py, checkpoints in
run.py.
"""

import argparse
import json
import logging
import math
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nlp.network import cut
from nlp.train import distil, score
from nlp.train import loss as losses
from nlp.train.data import Part, Row, load
from nlp.train.distil import Teacher
from nlp.train.model import STUDENT_LAYERS, Network, from_base, restore, save
from nlp.train.plan import passes
from nlp.train.run import Run, Settings, averaged_network, rate_at, resume, start, store
from nlp.train.sources import SOURCES, rates
from nlp.train.tokens import MAX_TOKENS, batches, load_tokenizer, pad, thin, vary

_log = logging.getLogger(__name__)
_WINDOW = 40  # batches that are sorted by length together


def learn(
    run: Run,
    batch: tuple[Tensor, Tensor, Tensor, Tensor],
    rare: Tensor,
    pool: ThreadPoolExecutor,
    teacher: Teacher | None = None,
) -> None:
    """One step on one batch: tokens, lengths, targets, trust."""
    ids, lengths, wanted, trust = batch
    settings = run.settings
    rate = rate_at(run.step, settings)
    for group in run.optimiser.param_groups:
        group["lr"] = rate * group["factor"]
    generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + run.step)
    keep = torch.rand(len(ids), run.network.sizes.hidden, generator=generator) >= settings.dropout
    keep_scaled = keep.float() / (1 - settings.dropout)

    def part(places: slice) -> tuple[float, tuple[Tensor, ...]]:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=settings.bf16):
            features = run.network.features(ids[places], lengths[places])
            logits = run.network.answers(features * keep_scaled[places]).float()
            told = teacher.asked(ids[places], lengths[places]) if teacher else None
        value = losses.multitask(logits, wanted[places], trust[places], rare)
        if teacher and told:
            heard = (wanted[places] < 0).any(dim=1) if teacher.partly else slice(None)
            told = (told[0][heard], told[1][heard])
            gap = distil.disagreement(logits[heard], features[heard], told, teacher.heads)
            value = value + teacher.share * gap
        value = value / len(ids)
        return float(value.detach()), torch.autograd.grad(value, run.trained)

    shares = [slice(number, None, settings.threads) for number in range(settings.threads)]
    results = list(pool.map(part, shares))
    for place, parameter in enumerate(run.trained):
        gradient = results[0][1][place]
        for _, gradients in results[1:]:
            gradient = gradient + gradients[place]
        parameter.grad = gradient
    torch.nn.utils.clip_grad_norm_(run.trained, settings.clip)
    run.optimiser.step()
    run.recent.append(sum(value for value, _ in results))
    run.step += 1
    if run.step % settings.average_every == 0:
        keep_share = min(settings.average, run.step / (run.step + 10 * settings.average_every))
        with torch.no_grad():
            torch._foreach_lerp_(run.averaged, run.trained, 1 - keep_share)


def batches_from(
    rows: Sequence[Row], tokenizer: Any, settings: Settings, first: int, shares: Mapping[str, float]
) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Batches of the plan, endless, from step `first` on: tokens, lengths, targets, trust."""
    number = 0
    window = settings.batch * _WINDOW
    for order in passes(rows, shares, settings.seed):
        for begin in range(0, len(order) - settings.batch + 1, window):
            places = order[begin : begin + window]
            count = len(places) // settings.batch
            if number + count <= first:
                number += count
                continue
            dice = random.Random(f"{settings.seed}:{number}")  # noqa: S311
            texts = [vary(rows[place].text, rows[place].source, dice) for place in places]
            encoded = [
                thin(cut(encoding.ids, MAX_TOKENS), settings.token_dropout, dice)
                for encoding in tokenizer.encode_batch(texts)
            ]
            by_length = sorted(range(len(places)), key=lambda at: len(encoded[at]))
            starts = [at * settings.batch for at in range(count)]
            dice.shuffle(starts)
            for at in starts:
                number += 1
                if number <= first:
                    continue
                chosen = by_length[at : at + settings.batch]
                ids, lengths = pad([encoded[place] for place in chosen])
                members = [rows[places[place]] for place in chosen]
                yield ids, lengths, losses.targets(members), torch.tensor([row.weight for row in members])


def predict(network: Network, tokenizer: Any, rows: Sequence[Row], threads: int = 2) -> score.Logits:
    """Logits of the rows, in their order."""
    network.eval()
    found = np.zeros((len(rows), network.sizes.logits), np.float32)
    parts = list(batches(tokenizer, [row.text for row in rows]))
    with torch.inference_mode(), ThreadPoolExecutor(threads) as pool:
        for batch, logits in zip(parts, pool.map(lambda b: network(b.ids, b.lengths), parts), strict=True):
            found[batch.places] = logits.numpy()
    return found


def fit(
    run: Run,
    rows: Sequence[Row],
    tokenizer: Any,
    folder: Path,
    every: int = 200,
    measure_every: int = 800,
    teacher: Teacher | None = None,
    shares: Mapping[str, float] | None = None,
) -> None:
    """Steps until the end of the schedule, with a checkpoint every `every` steps and val scores now and then.

    Args:
        shares: source -> rows drawn in one pass, as a share of its rows; `sources.rates` by default.
    """
    torch.set_num_threads(1)
    reported = {source.key for source in SOURCES if source.reported}
    val = [row for row in rows if row.part is Part.VAL and (row.source.startswith("ours") or row.source in reported)]
    rare = losses.rare_weights([row for row in rows if row.part is Part.TRAIN])
    began, began_cpu, first = time.monotonic(), time.process_time(), run.step
    with ThreadPoolExecutor(run.settings.threads) as pool, (folder / "log.jsonl").open("a", encoding="utf-8") as log:

        def note(entry: dict[str, Any]) -> None:
            log.write(json.dumps(entry) + "\n")
            log.flush()

        for batch in batches_from(rows, tokenizer, run.settings, run.step, shares or rates()):
            if run.step >= run.settings.steps:
                break
            learn(run, batch, rare, pool, teacher)
            if run.step % 25 == 0:
                seconds, cpu = time.monotonic() - began, time.process_time() - began_cpu
                mean = math.fsum(run.recent) / len(run.recent)
                run.recent.clear()
                done = run.step - first
                note(
                    {
                        "step": run.step,
                        "loss": round(mean, 4),
                        "s": round(seconds / done, 2),
                        "cpu": round(cpu / done, 2),
                    }
                )
            if run.step % every == 0:
                store(run, folder)
            if run.step % measure_every == 0 or run.step == run.settings.steps:
                network = averaged_network(run)
                note({"step": run.step, "val": score.report(val, predict(network, tokenizer, val))})
    store(run, folder)
    save(averaged_network(run), folder / "network.pt")


def main() -> None:
    """Fine-tune on all sets but our real labels, which crossfit.py learns; or go on where an earlier call stopped."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--base", type=Path, required=True, help="folder written by nlp.train.prune")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=Settings().steps)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=Settings().rate)
    parser.add_argument("--layers", type=int, nargs="+", default=list(STUDENT_LAYERS))
    parser.add_argument("--teacher", type=Path, help="network.pt to be distilled; --layers are then layers of it")
    parser.add_argument(
        "--bf16", action="store_true", help="products in bfloat16: 2.8 times faster where the processor has AMX"
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    settings = Settings(
        steps=arguments.steps,
        seed=arguments.seed,
        rate=arguments.rate,
        layers=tuple(arguments.layers),
        bf16=arguments.bf16,
    )
    torch.manual_seed(settings.seed)
    every = load(arguments.data)
    rows = [row for row in every if row.part is not Part.TRAIN or not row.source.startswith("ours")]
    teacher = None
    if arguments.teacher:
        teacher = Teacher(restore(arguments.teacher))
        rows += distil.unlabelled(arguments.data, every)
    begin = (
        distil.student_of(teacher.network, settings.layers) if teacher else from_base(arguments.base, settings.layers)
    )
    run = start(settings, begin)
    if resume(run, arguments.out):
        _log.info("going on from step %d", run.step)
    fit(run, rows, load_tokenizer(arguments.base), arguments.out, teacher=teacher)
    _log.info("done: %s", arguments.out / "network.pt")


if __name__ == "__main__":
    main()
