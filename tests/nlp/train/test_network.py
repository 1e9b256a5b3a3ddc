"""The network equals the library's BERT, learns, resumes exactly, and its graph answers as it does."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from nlp.network import cut  # noqa: E402
from nlp.train import base, distil, export, fit, graph, loss, model, ours, run, tokens  # noqa: E402
from nlp.train.data import Part, Row  # noqa: E402
from nlp.train.heads import HEADS, LOGIT_COUNT  # noqa: E402
from nlp.train.sources import rates  # noqa: E402

TEXTS = ["le colis est perdu", "merci", "the parcel", "perdu perdu perdu 😡", "le colis"]


@pytest.fixture
def folder(weights_file, tmp_path):
    base.write(base.read(weights_file), tmp_path / "base")
    return tmp_path / "base"


@pytest.fixture
def rows():
    full = {
        "sentiment": 0, "intent": 2, "secondary": (0,) * 13, "aspects": (1,) * 12, "urgency": 1,
        "churn": (0,), "toxic": (0,), "irony": (1,), "directed": (1,),
    }  # fmt: skip
    own = [Row(text, "fr", Part.TRAIN, "written", full) for text in TEXTS]
    tweets = [Row(f"{text} le", "fr", Part.TRAIN, "umsab", {"sentiment": 2}) for text in TEXTS]
    return [*own, *tweets, Row("merci merci", "fr", Part.VAL, "umsab", {"sentiment": 2})]


def test_the_encoder_is_bert(folder):
    transformers = pytest.importorskip("transformers")
    theirs = transformers.BertModel.from_pretrained(folder, add_pooling_layer=False).eval()
    ours = model.from_base(folder, layers=(0, 1)).eval()
    batch = next(tokens.batches(tokens.load_tokenizer(folder), TEXTS))
    mask = (torch.arange(batch.ids.shape[1])[None] < batch.lengths[:, None]).long()
    with torch.inference_mode():
        wanted = theirs(input_ids=batch.ids, attention_mask=mask).last_hidden_state[:, 0]
        torch.testing.assert_close(ours.features(batch.ids, batch.lengths), wanted, atol=1e-5, rtol=1e-4)


def test_every_head_has_its_columns(folder):
    network = model.from_base(folder, layers=(1,))
    batch = next(tokens.batches(tokens.load_tokenizer(folder), TEXTS))
    assert network(batch.ids, batch.lengths).shape == (len(TEXTS), LOGIT_COUNT)
    assert sum(len(head.labels) for head in HEADS) == LOGIT_COUNT


def test_a_row_trains_only_the_heads_that_it_answers(rows):
    logits = torch.zeros(1, LOGIT_COUNT, requires_grad=True)
    even = torch.ones(13)
    tweet = next(row for row in rows if row.source == "umsab")
    loss.multitask(logits, loss.targets([tweet]), torch.ones(1), even).backward()
    touched = {int(column) for column in logits.grad[0].nonzero()}
    assert touched == {0, 1, 2}
    silent = torch.zeros(1, LOGIT_COUNT, requires_grad=True)
    assert float(loss.multitask(silent, loss.targets([Row("x", "fr", Part.TRAIN, "s")]), torch.ones(1), even)) == 0.0


def test_unknown_labels_of_a_many_head_teach_nothing():
    row = Row("x", "fr", Part.TRAIN, "absa", {"aspects": (1, *(-1,) * 11)})
    logits = torch.zeros(1, LOGIT_COUNT, requires_grad=True)
    loss.multitask(logits, loss.targets([row]), torch.ones(1), torch.ones(13)).backward()
    assert int((logits.grad != 0).sum()) == 1


def _trained(folder, rows, out, steps, settings, teacher=None):
    out.mkdir(exist_ok=True)
    torch.manual_seed(settings.seed)
    state = run.start(settings, model.from_base(folder, settings.layers))
    went_on = run.resume(state, out)
    tokenizer = tokens.load_tokenizer(folder)
    rare = loss.rare_weights(rows)
    with ThreadPoolExecutor(2) as pool:
        for batch in fit.batches_from(rows, tokenizer, settings, state.step, rates()):
            if state.step >= steps:
                break
            fit.learn(state, batch, rare, pool, teacher)
    run.store(state, out)
    return state, went_on


SETTINGS = run.Settings(steps=12, batch=4, warmup=2, layers=(0, 1), average_every=2)


def test_an_interrupted_run_ends_like_an_uninterrupted_one(folder, rows, tmp_path):
    whole, _ = _trained(folder, rows, tmp_path / "whole", 12, SETTINGS)
    _trained(folder, rows, tmp_path / "halves", 5, SETTINGS)
    resumed, went_on = _trained(folder, rows, tmp_path / "halves", 12, SETTINGS)
    assert went_on and resumed.step == whole.step == 12
    for one, other in zip(whole.averaged, resumed.averaged, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-5)
    fresh = model.from_base(folder, SETTINGS.layers)
    assert not torch.allclose(whole.network.layers[0].up.weight, fresh.layers[0].up.weight), "it did learn something"
    torch.testing.assert_close(whole.network.words.weight, fresh.words.weight, atol=0, rtol=0)


def test_a_checkpoint_of_other_settings_is_refused(folder, rows, tmp_path):
    _trained(folder, rows, tmp_path / "run", 2, SETTINGS)
    with pytest.raises(ValueError, match="other settings"):
        _trained(folder, rows, tmp_path / "run", 4, replace(SETTINGS, seed=2))
    state, went_on = _trained(folder, rows, tmp_path / "run", 4, replace(SETTINGS, steps=20))
    assert went_on and state.step == 4


def test_the_loss_falls(folder, rows, tmp_path):
    state, _ = _trained(folder, rows, tmp_path / "run", 40, replace(SETTINGS, steps=40, rate=2e-3))
    assert np.mean(state.recent[-8:]) < 0.8 * np.mean(state.recent[:8])


def test_the_rate_rises_stays_and_falls_to_zero():
    settings = run.Settings(steps=100, warmup=10, cooldown=0.3, rate=1.0)
    rates = [run.rate_at(step, settings) for step in (0, 9, 50, 69, 85, 99, 100)]
    assert rates == pytest.approx([0.1, 1.0, 1.0, 1.0, 0.5, 1 / 30, 0.0])


def test_long_texts_keep_both_ends():
    assert cut(list(range(10)), 6) == [0, 1, 2, 3, 8, 9]
    assert cut([1, 2], 6) == [1, 2]


def test_thinning_keeps_the_marks_and_about_the_share_that_it_should():
    ids = list(range(1_000))
    kept = tokens.thin(ids, 0.1, random.Random(3))
    assert (kept[0], kept[-1]) == (0, 999)
    assert 850 < len(kept) < 950
    assert kept == sorted(kept)
    assert tokens.thin([0, 1, 2], 0.9, random.Random(3)) == [0, 1, 2]


def test_the_graph_answers_as_the_network_alone_and_in_any_batch(folder):
    torch.manual_seed(0)
    network = model.from_base(folder, layers=(0, 1)).eval()
    tokenizer = tokens.load_tokenizer(folder)
    assert export.check_equal(network, tokenizer, TEXTS) < 1e-5
    runner = export.Runner(graph.build(network, graph.Form.EIGHT), tokenizer)
    assert export.check_alone(runner, TEXTS) < 1e-5
    exact = export.Runner(graph.build(network, graph.Form.FLOAT), tokenizer).logits(TEXTS)
    eight = runner.logits(TEXTS)
    assert 0 < np.abs(eight - exact).max() < 0.1 * np.abs(exact).max()


def test_the_check_sees_an_answer_that_neighbours_move():
    class Moved:
        def logits(self, texts, size=32):
            return np.full((len(texts), 1), min(size, len(texts)) * 1e-3, np.float32)

    with pytest.raises(ValueError, match="move with their neighbours"):
        export.check_alone(Moved(), TEXTS)


def test_the_artefact_is_complete(folder, data_folder, tmp_path):
    from nlp.train.data import load

    torch.manual_seed(0)
    mine = [row for _, row in ours.by_fold(data_folder)]
    answers = np.random.default_rng(1).standard_normal((len(mine), LOGIT_COUNT)).astype(np.float32)
    own = export.Own.of(mine, answers, np.arange(len(mine)) % 5, mine[:7])
    assert 0 < len(own.rows) < len(mine), "those that the word lists were fitted on are left out"
    network = model.from_base(folder, (0, 1)).eval()
    figures = export.export(network, folder, load(data_folder), own, tmp_path / "out", "tiny", "1")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "model.onnx", "heads.npz", "gold.npz", "tokenizer.json", "tokenizer_config.json", "config.json", "figures.json",
        "card.md",
    }  # fmt: skip
    heads = np.load(tmp_path / "out" / "heads.npz")
    assert heads["weight"].shape == (LOGIT_COUNT, 32 + LOGIT_COUNT)
    gold = np.load(tmp_path / "out" / "gold.npz")
    assert len(gold["features"]) == len(gold["targets"]) == len(gold["langs"]) == 7
    assert figures["gold"]["fr/intent"]["n"] == sum(row.lang == "fr" for row in own.rows)
    config = json.loads((tmp_path / "out" / "config.json").read_text(encoding="utf-8"))
    assert [head["key"] for head in config["heads"]] == [head.key for head in HEADS]
    assert config["temperatures"]["sentiment"]["*"] > 0
    assert "umsab/en/sentiment" in figures["val"]
    assert "CC BY-NC-SA" in (tmp_path / "out" / "card.md").read_text(encoding="utf-8")


def test_a_student_takes_over_the_layers_that_it_keeps(folder):
    teacher = model.from_base(folder, (0, 1)).eval()
    same = distil.student_of(teacher, (0, 1)).eval()
    ids, lengths = tokens.pad([[0, 5, 6, 2]])
    torch.testing.assert_close(same(ids, lengths), teacher(ids, lengths))
    short = distil.student_of(teacher, (1,))
    torch.testing.assert_close(short.layers[0].up.weight, teacher.layers[1].up.weight)
    assert len(short.layers) == 1


def test_a_student_comes_closer_to_its_teacher_without_any_label(folder, rows, tmp_path):
    bare = [replace(row, targets={}) for row in rows]
    torch.manual_seed(3)
    teacher = distil.Teacher(model.from_base(folder, (0, 1)).eval())
    torch.nn.init.normal_(teacher.network.answers.weight)
    ids, lengths = tokens.pad([tokens.load_tokenizer(folder).encode(row.text).ids for row in rows])

    def apart(network):
        features = network.features(ids, lengths)
        with torch.no_grad():
            return float(distil.disagreement(network.answers(features), features, teacher.asked(ids, lengths)))

    assert apart(teacher.network) == pytest.approx(0, abs=1e-3)
    start = apart(model.from_base(folder, SETTINGS.layers).eval())
    state, _ = _trained(
        folder, bare, tmp_path / "run", 40, replace(SETTINGS, steps=40, rate=2e-3, dropout=0.0), teacher
    )
    assert apart(state.network) < 0.9 * start


def test_a_teacher_of_one_head_leaves_the_others_and_the_labelled_rows_alone(folder, rows):
    network = model.from_base(folder, (0, 1)).eval()
    teacher = distil.Teacher(model.from_base(folder, (0, 1)).eval(), heads=frozenset({"sentiment"}))
    torch.nn.init.normal_(teacher.network.answers.weight)
    ids, lengths = tokens.pad([[0, 5, 6, 2]])
    features = network.features(ids, lengths).detach()
    logits = network.answers(features).detach().requires_grad_()
    distil.disagreement(logits, features, teacher.asked(ids, lengths), teacher.heads).backward()
    assert {int(column) for column in logits.grad[0].nonzero()} == {0, 1, 2}
