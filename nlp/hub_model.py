"""One model of the Hugging Face kind, opened for use: found, checked, put on a device; offline unless it may download.

Only here are torch and transformers' models imported, late, and everything that can be wrong with them becomes a
ConfigurationError in words. What its answers mean is decided in nlp/hub.py.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from pathlib import Path
from typing import Any

from domain.errors import ConfigurationError

_READ_FILES = ("*.json", "*.txt", "*.model", "*.safetensors")
_OLDER_WEIGHTS = ("pytorch_model*.bin", "pytorch_model.bin.index.json")
_MOST_TOKENS = 512  # where neither the tokenizer nor the model says; long texts keep both ends
_LEAST_TOKENS = 16
_TAIL_SHARE = 3  # a third of what is kept of a long text comes from its end
_SPARE = 8  # a text that was cut may come to a few more tokens than its pieces had
_PROBE = "Bonjour, where is my parcel?"
_WEIGHTS = (".safetensors", ".bin")


class Task(StrEnum):
    """How a model answers; the names are those of `transformers.pipeline`."""

    CLASSIFY = "text-classification"
    ZERO_SHOT = "zero-shot-classification"


@dataclass(frozen=True, slots=True)
class HubHead:
    """Which model answers one question, as the settings say it.

    Attributes:
        model: a folder, or an id such as ``owner/name``.
        revision: commit, tag or branch of an id; empty: its main branch. A commit never changes.
        labels: the model's label -> our answer. Needless for labels that have our names.
        candidates: zero-shot only: language -> our answer -> the words for it; replaces single texts of ours.
        hypothesis: zero-shot only: language -> a sentence with ``{}`` where those words go.
        threshold: questions with several answers, or yes and no: least probability of a yes.
        uncertain_below: probability of the likeliest answer under which a person should look.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
        download: whether the files of an id may be fetched. The only thing that leaves the machine is that request.
    """

    model: str
    revision: str = ""
    task: str = Task.CLASSIFY.value
    labels: Mapping[str, str] = field(default_factory=dict)
    candidates: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    hypothesis: Mapping[str, str] = field(default_factory=dict)
    threshold: float = 0.5
    uncertain_below: float = 0.0
    batch: int = 16
    device: str = "auto"
    download: bool = False


@dataclass(frozen=True, slots=True)
class OpenModel:
    """A model that is ready.

    Attributes:
        fingerprint: what its answers depend on: the id with its commit, or a digest of the folder's files.
        labels: the model's own, in its order.
        independent: each label has a probability of its own; else they share one.
        limit: tokens that it reads of one text, its marks included.
    """

    pipeline: Any
    fingerprint: str
    labels: tuple[str, ...]
    independent: bool
    limit: int

    def classify(self, texts: Sequence[str], batch: int) -> list[dict[str, float]]:
        """Label -> probability of each text; whatever the batch and order, up to float rounding."""
        kept = [self.both_ends(text) for text in texts]
        told = self._shortest_first(kept, batch, top_k=None, truncation=True)
        return [{row["label"]: row["score"] for row in rows} for rows in told]

    def entails(
        self, texts: Sequence[str], words: Sequence[str], sentence: str, batch: int, *, several: bool
    ) -> list[dict[str, float]]:
        """Words -> probability of each text: shared among them, or each for itself where there may be several."""
        room = self.limit - max(self._length(sentence.format(word)) for word in words)
        kept = [self.both_ends(text, room) for text in texts]
        told = self._shortest_first(
            kept, batch, candidate_labels=list(words), hypothesis_template=sentence, multi_label=several
        )
        return [dict(zip(row["labels"], row["scores"], strict=True)) for row in told]

    def both_ends(self, text: str, limit: int | None = None) -> str:
        """The text, without its middle where it has more tokens than the model reads."""
        tokenizer = self.pipeline.tokenizer
        room = (limit or self.limit) - tokenizer.num_special_tokens_to_add(pair=limit is not None)
        if len(text) <= room or not tokenizer.is_fast:
            return text
        spans = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, truncation=False)
        pieces = spans["offset_mapping"]
        if len(pieces) <= room:
            return text
        tail = (room - _SPARE) // _TAIL_SHARE
        return f"{text[: pieces[room - _SPARE - tail - 1][1]]}\n{text[pieces[-tail][0] :]}"

    def _length(self, text: str) -> int:
        return len(self.pipeline.tokenizer(text, add_special_tokens=False)["input_ids"])

    def _shortest_first(self, texts: Sequence[str], batch: int, **options: Any) -> list[Any]:
        # Neighbours of one length need little padding; the answers go back to their places.
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        told = self.pipeline([texts[place] for place in order], batch_size=batch, **options)
        found: list[Any] = [None] * len(texts)
        for place, answer in zip(order, told, strict=True):
            found[place] = answer
        return found


def open_model(head: HubHead, where: str) -> OpenModel:
    """Find, check and load a model.

    Args:
        where: the table of the settings, as the messages name it.

    Raises:
        ConfigurationError: torch is missing, the model is not there, or it cannot do this task; says what to do.
    """
    torch = _torch(where)
    device = _device(torch, head.device, where)
    folder, fingerprint = _found(head, where)
    model, tokenizer = _loaded(torch, folder, head, where)
    labels = tuple(model.config.id2label[number] for number in range(model.config.num_labels))
    if len(labels) < 2:
        raise ConfigurationError(
            f"{where}: {head.model} gives one number, not a choice between labels. Take a classifier."
        )
    if head.task == Task.ZERO_SHOT and not any(label.lower().startswith("entail") for label in labels):
        raise ConfigurationError(
            f"{where}: {head.model} has no label “entailment”, which zero-shot needs; it has {', '.join(labels)}. "
            f"Take a model trained on NLI, or task = “{Task.CLASSIFY}”."
        )
    tokenizer.model_max_length = limit = _limit(tokenizer, model.config)
    if limit < _LEAST_TOKENS:
        raise ConfigurationError(f"{where}: {head.model} reads {limit} tokens at most, which is too few for a message.")
    import transformers

    pipe = transformers.pipeline(head.task, model=model, tokenizer=tokenizer, device=device)  # type: ignore[call-overload]
    independent = model.config.problem_type == "multi_label_classification"
    return OpenModel(pipe, fingerprint, labels, independent, limit)


def _torch(where: str) -> Any:
    try:
        import torch
    except ImportError as error:
        raise ConfigurationError(
            f"{where} asks for a hub model, which needs torch, and torch cannot be loaded ({error}). "
            'Install it with: pip install "comptoir[hub]"'
        ) from error
    return torch


def _device(torch: Any, wanted: str, where: str) -> Any:
    ready = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        wanted = next(kind for kind in ("cuda", "mps", "cpu") if ready[kind])
    kind, _, number = wanted.partition(":")
    if not re.fullmatch(r"(cpu|cuda|mps)(:\d+)?", wanted):
        raise ConfigurationError(f"{where}: there is no device “{wanted}”. Choose auto, cpu, cuda, cuda:1 or mps.")
    if not ready[kind] or (kind == "cuda" and number and int(number) >= torch.cuda.device_count()):
        raise ConfigurationError(
            f"{where}: the device “{wanted}” is not there, or torch cannot use it. Set device = “auto”."
        )
    return torch.device(wanted)


def _found(head: HubHead, where: str) -> tuple[Path, str]:
    """The folder with the model's files, and what identifies them."""
    folder = Path(head.model).expanduser()
    if folder.is_dir():
        return folder, f"{folder.resolve().name}@{_digest(folder, where)}"
    if not re.fullmatch(r"[\w-][\w.-]*(/[\w-][\w.-]*)?", head.model):
        raise ConfigurationError(f"{where}: there is no folder “{head.model}”, and it is no id such as owner/name.")
    if not head.download:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")  # belt and braces: what was not imported yet will not ask either
    from huggingface_hub import snapshot_download

    def fetched(*patterns: str) -> Path:
        return Path(
            snapshot_download(
                head.model,
                revision=head.revision or None,
                local_files_only=not head.download,
                allow_patterns=[*patterns],
            )
        )

    try:
        folder = fetched(*_READ_FILES)
        if not any(folder.glob("*.safetensors")):
            folder = fetched(*_READ_FILES, *_OLDER_WEIGHTS)
    except (OSError, ValueError) as error:
        version = f", revision {head.revision}," if head.revision else ""
        if head.download:
            advice = "Look at the id, the revision and the connection; a closed model also wants HF_TOKEN in the environment."
        else:
            advice = "Nothing was downloaded, as the settings say. Set download = true once, or give a folder."
        raise ConfigurationError(
            f"{where}: the model {head.model}{version} is not on this machine. {advice}"
        ) from error
    return folder, f"{head.model}@{folder.name}"


def _digest(folder: Path, where: str) -> str:
    digest = blake2b(digest_size=12)
    try:
        for path in sorted(folder.iterdir()):
            if path.suffix in {".json", ".txt", ".model", *_WEIGHTS} and path.is_file():
                digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
                with path.open("rb") as handle:
                    while block := handle.read(1 << 20):
                        digest.update(block)
    except OSError as error:
        raise ConfigurationError(f"{where}: the folder {folder} cannot be read ({error}).") from error
    return digest.hexdigest()


def _loaded(torch: Any, folder: Path, head: HubHead, where: str) -> tuple[Any, Any]:
    from safetensors import SafetensorError
    from transformers import AutoModelForSequenceClassification, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # what matters of its warnings is checked here, and raised
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        model, report = AutoModelForSequenceClassification.from_pretrained(
            folder,
            local_files_only=True,
            trust_remote_code=False,  # a model is data; code that comes with one is not run
            dtype=torch.float32,  # half precision would move with the batch
            output_loading_info=True,
        )
    except (  # all that its readers raise on a folder that is not what they expect
        OSError,
        ValueError,
        ImportError,
        RuntimeError,
        KeyError,
        TypeError,
        AttributeError,
        SafetensorError,
    ) as error:
        reason = str(error).strip().partition("\n")[0][:300]
        raise ConfigurationError(
            f"{where}: {head.model} cannot be read as a sequence-classification model ({reason}). The folder needs "
            "config.json, a tokenizer and the weights, as save_pretrained writes them; code that comes with a model is not run."
        ) from error
    if report["missing_keys"] or report["mismatched_keys"]:
        missing = ", ".join(sorted(map(str, report["missing_keys"] or report["mismatched_keys"]))[:3])
        raise ConfigurationError(
            f"{where}: {head.model} holds no trained classifier ({missing} would be random). "
            "Take a model that was trained to classify, not a base model."
        )
    if len(tokenizer) > model.config.get_text_config().vocab_size:
        raise ConfigurationError(
            f"{where}: the tokenizer of {head.model} knows more pieces than its model. They do not belong together."
        )
    known = set(tokenizer(_PROBE, add_special_tokens=False)["input_ids"]) - {tokenizer.unk_token_id}
    if not known:  # as happens, without a word of warning, where the vocabulary's file is missing
        raise ConfigurationError(
            f"{where}: the tokenizer of {head.model} knows no word. Is its vocabulary in the folder?"
        )
    _make_padding(tokenizer, model.config, head, where)
    return model, tokenizer


def _make_padding(tokenizer: Any, config: Any, head: HubHead, where: str) -> None:
    if tokenizer.pad_token is None:
        if tokenizer.eos_token is None:
            raise ConfigurationError(
                f"{where}: the tokenizer of {head.model} has no padding token, so it cannot work in batches."
            )
        tokenizer.pad_token = tokenizer.eos_token
    if getattr(config, "pad_token_id", None) is None:
        config.pad_token_id = tokenizer.pad_token_id


def _limit(tokenizer: Any, config: Any) -> int:
    positions = getattr(config.get_text_config(), "max_position_embeddings", None)
    # Two are kept back: some families count positions from the padding's number on.
    told = [tokenizer.model_max_length, positions - 2 if positions and positions > 0 else _MOST_TOKENS]
    return int(min(*told, 8 * _MOST_TOKENS))
