"""The base format is read to the bit, and its folder is one that Hugging Face's classes open."""

import numpy as np
import pytest

from nlp.train import base, prune


def test_packed_weights_come_back_within_half_a_step(tmp_path, tiny):
    written = tiny.write_base(tmp_path / "tiny.bin")
    read = base.read(tmp_path / "tiny.bin")
    assert read.shape == base.Shape(32, 2, 4, 64, len(tiny.PIECES), 128, 2, read.shape.eps)
    word = read.tensors["embeddings.word_embeddings.weight"]
    step = np.abs(written["emb.word"]).reshape(-1, 32).max(axis=1) / 7
    gap = np.abs(word - written["emb.word"]).reshape(-1, 32).max(axis=1)
    assert (gap <= 0.55 * step).all()
    np.testing.assert_array_equal(read.tensors["encoder.layer.1.output.LayerNorm.bias"], written["l1.oln.b"])
    assert read.tensors["encoder.layer.0.intermediate.dense.weight"].shape == (64, 32)
    assert read.tensors["encoder.layer.0.output.dense.weight"].shape == (32, 64)
    assert read.tensors["encoder.layer.0.attention.output.dense.weight"].shape == (32, 32)


def test_low_nibbles_are_the_first_half_of_a_block():
    raw = np.float16(0.5).tobytes() + bytes(range(16))  # low nibble 0..15, high nibble 0
    values = base.expand(raw)
    np.testing.assert_array_equal(values[:16], (np.arange(16) - 8) * 0.5)
    np.testing.assert_array_equal(values[16:], np.full(16, -4.0))


def test_another_file_is_refused(tmp_path, tiny):
    tiny.write_base(tmp_path / "other.bin", magic=b"GGUF")
    with pytest.raises(ValueError, match=r"other\.bin does not start with E5S1"):
        base.read(tmp_path / "other.bin")


def test_the_folder_opens_with_auto_tokenizer(weights_file, tmp_path):
    transformers = pytest.importorskip("transformers")
    base.write(base.read(weights_file), tmp_path / "folder")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "folder")
    pieces = tokenizer.convert_ids_to_tokens(tokenizer("le  colis\u00a0perdu 😡")["input_ids"])
    assert pieces == ["<s>", "▁le", "▁colis", "▁perdu", "▁", "😡", "</s>"]
    assert (tokenizer.pad_token, tokenizer.unk_token) == ("<pad>", "<unk>")


def test_pruning_keeps_specials_letters_and_what_is_used(weights_file, tiny):
    read = base.read(weights_file)
    tokenizer = base.build_tokenizer(read.pieces, read.scores)
    used = prune.count_use(tokenizer, ["le colis", "لا"])
    keep = prune.choose(read.pieces, read.scores, used, target=13)
    kept = [read.pieces[row] for row in keep]
    assert kept[:4] == list(base.SPECIALS)
    assert {"s", "e", "é", "😡", "▁le", "▁colis", "▁لا"} <= set(kept)
    assert "<mask>" not in kept
    assert "ا" not in kept, "a letter of another alphabet stays only where it is used"


def test_a_pruned_model_cuts_used_texts_as_before(weights_file):
    read = base.read(weights_file)
    before = base.build_tokenizer(read.pieces, read.scores)
    texts = ["le colis perdu", "merci"]
    keep = prune.choose(read.pieces, read.scores, prune.count_use(before, texts), target=16)
    small = prune.prune(read, keep, positions=8)
    after = base.build_tokenizer(small.pieces, small.scores)
    for text in texts:
        assert after.encode(text).tokens == before.encode(text).tokens
        rows = small.tensors["embeddings.word_embeddings.weight"][after.encode(text).ids]
        np.testing.assert_array_equal(rows, read.tensors["embeddings.word_embeddings.weight"][before.encode(text).ids])
    assert small.tensors["embeddings.position_embeddings.weight"].shape == (8, 32)
    assert small.shape.rows == len(keep)
