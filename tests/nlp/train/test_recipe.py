"""nlp.train.__main__: the recipe's steps are commands that exist, and a step that is done is not done again."""

import importlib

import pytest

pytest.importorskip("torch")

from nlp.train import __main__ as recipe


def test_every_step_is_a_command_with_these_arguments(monkeypatch, tmp_path):
    for step in recipe.STEPS:
        module = importlib.import_module(f"nlp.train.{step.module}")
        words = [word.format(data=tmp_path, out=tmp_path) for word in step.arguments]
        monkeypatch.setattr("sys.argv", [step.module, *words, "--no-such-option"])
        with pytest.raises(SystemExit) as refused:
            module.main()
        assert refused.value.code == 2, "only the added option is unknown"


def test_what_is_there_is_left_alone_and_a_failure_stops(monkeypatch, tmp_path, caplog):
    caplog.set_level("INFO")
    for step in recipe.STEPS[:-1]:
        (tmp_path / step.result).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / step.result).touch()
    monkeypatch.setattr("sys.argv", ["train", str(tmp_path / "nowhere"), str(tmp_path)])
    with pytest.raises(SystemExit, match="did not come to its end"):
        recipe.main()
    assert caplog.text.count("there already") == len(recipe.STEPS) - 1
