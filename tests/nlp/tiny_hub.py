"""Tiny random models of the Hugging Face kind, written to a folder; and a hub on loopback that hands one out.

Their weights are random but fixed, and large enough that texts get different answers. Wants torch.
"""

import hashlib
import json
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.contracts import analyzer_suite as suite

POSITIONS = 66
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def tokenizer(*, padding: bool = True) -> Any:
    """A WordPiece tokenizer that knows the words and the letters of the suite's texts, and no others."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    words = {word for text in suite.ORDINARY for word in re.findall(r"\w+|[^\w\s]", text.lower())}
    letters = sorted({letter for text in suite.HARD.values() for letter in text.lower() if not letter.isspace()})
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *sorted(words | set(letters)), *(f"##{letter}" for letter in letters)]
    made = Tokenizer(models.WordPiece({piece: place for place, piece in enumerate(pieces)}, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(strip_accents=False)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = {"unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "eos_token": "[SEP]"}
    return PreTrainedTokenizerFast(tokenizer_object=made, **names, **({"pad_token": "[PAD]"} if padding else {}))


def write_bert(folder: Path, labels: Sequence[str], *, seed: int = 0, **config: Any) -> Path:
    """A BERT of two layers of 32 with one output a label, and its tokenizer."""
    from transformers import BertConfig, BertForSequenceClassification

    pieces = tokenizer()
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    values = {"vocab_size": len(pieces), "max_position_embeddings": POSITIONS, **sizes, **named(labels), **config}
    shape = BertConfig(**values)
    return _write(folder, BertForSequenceClassification, shape, pieces, seed)


def write_decoder(folder: Path, labels: Sequence[str]) -> Path:
    """A GPT-2 of two layers of 32 that classifies, whose tokenizer has no padding token, as those of its family."""
    from transformers import GPT2Config, GPT2ForSequenceClassification

    pieces = tokenizer(padding=False)
    shape = GPT2Config(
        vocab_size=len(pieces), n_embd=32, n_layer=2, n_head=4, n_positions=POSITIONS, bos_token_id=2, eos_token_id=3,
        **named(labels),
    )  # fmt: skip
    return _write(folder, GPT2ForSequenceClassification, shape, pieces, 0)


def named(labels: Sequence[str]) -> dict[str, Any]:
    """Labels as a configuration holds them."""
    return {"id2label": dict(enumerate(labels)), "label2id": {label: n for n, label in enumerate(labels)}}


def _write(folder: Path, kind: Any, shape: Any, pieces: Any, seed: int) -> Path:
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = kind(shape)
        with torch.no_grad():
            for name, values in model.named_parameters():
                if "norm" not in name.lower() and "ln_" not in name:
                    values.mul_(8)  # as made, all texts would look nearly the same
    model.save_pretrained(folder)
    pieces.save_pretrained(folder)
    return folder


def put_in_cache(cache: Path, folder: Path, name: str, commit: str = COMMIT, branch: str = "main") -> None:
    """Lay a model out as the hub's client keeps what it downloaded."""
    home = cache / f"models--{name.replace('/', '--')}"
    kept = home / "snapshots" / commit
    kept.mkdir(parents=True)
    for path in folder.iterdir():
        (kept / path.name).write_bytes(path.read_bytes())
    (home / "refs").mkdir(exist_ok=True)
    (home / "refs" / branch).write_text(commit, "utf-8")


@contextmanager
def hub(folder: Path, name: str) -> Iterator[tuple[str, list[str]]]:
    """(address, log of requests) of a hub that knows one model. A request is logged as method, path and body."""
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(body=True)

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def log_message(self, *_: Any) -> None:
            pass

        def _answer(self, *, body: bool) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            asked.append(f"{self.command} {self.path} {sent}".strip())
            path = self.path.partition("?")[0]
            if path == f"/api/models/{name}/revision/main":
                self._send(200, json.dumps({"id": name, "sha": COMMIT, "siblings": []}).encode(), body)
            elif path == f"/api/models/{name}/tree/{COMMIT}":
                rows = [
                    {"type": "file", "path": key, "size": len(files[key]), "oid": _mark(files[key])} for key in files
                ]
                self._send(200, json.dumps(rows).encode(), body)
            elif (file := path.removeprefix(f"/{name}/resolve/{COMMIT}/")) in files:
                self._send(200, files[file], body)
            else:
                self._send(404, b"{}", body)

        def _send(self, status: int, content: bytes, body: bool) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", f'"{_mark(content)}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            if body:
                self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _mark(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()
