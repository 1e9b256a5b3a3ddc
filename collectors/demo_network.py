"""The pretend network behind the demo: takes answers, keeps them on disk, and fails when it is told to.

It plays the vendor's side, so it knows nothing of mentions: items and answers are plain dictionaries. Answers survive the
process that sent them, as they would on a real network. Like most real ones it has no idempotency key: the same answer
sent twice is there twice. Faults wait in `faults.json`, each used up as often as it says.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

FAULTS = ("429", "5xx", "timeout_after_send", "malformed_page")


class NetworkAnswerError(Exception):
    """An HTTP-like answer that is not 2xx; status 0 is a time-out."""

    def __init__(self, status: int, message: str, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class DemoNetwork:
    """One folder: `replies.jsonl` and `acts.jsonl` (append-only), and `faults.json`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._replies = folder / "replies.jsonl"
        self._acts = folder / "acts.jsonl"
        self._faults = folder / "faults.json"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def fail(self, effect: str, *, times: int = 1, retry_after: int | None = None) -> None:
        """Fail the next `times` calls that this effect concerns."""
        if effect not in FAULTS:
            raise ValueError(f"unknown fault {effect!r}: one of {', '.join(FAULTS)}")
        with self._locked():
            waiting = self._read_faults()
            waiting.append({"effect": effect, "times": times, "retry_after": retry_after})
            self._write_faults(waiting)

    def _read_faults(self) -> list[dict[str, Any]]:
        if not self._faults.exists():
            return []
        loaded: list[dict[str, Any]] = json.loads(self._faults.read_text("utf-8"))
        return loaded

    def _write_faults(self, waiting: list[dict[str, Any]]) -> None:
        draft = self._faults.with_suffix(".tmp")
        draft.write_text(json.dumps(waiting), "utf-8")
        draft.replace(self._faults)

    def _use_fault(self, *effects: str) -> dict[str, Any] | None:
        waiting = self._read_faults()
        for fault in waiting:
            if fault["effect"] in effects:
                fault["times"] -= 1
                self._write_faults([f for f in waiting if f["times"] > 0])
                return fault
        return None

    def _refuse(self, *effects: str) -> None:
        fault = self._use_fault(*effects)
        if fault is None:
            return
        wait = timedelta(seconds=fault["retry_after"]) if fault["retry_after"] else None
        if fault["effect"] == "429":
            raise NetworkAnswerError(429, "too many requests", wait)
        raise NetworkAnswerError(503, "service unavailable", wait)

    def page(self, items: list[dict[str, Any]]) -> dict[str, Any]:
        """What a read answers: the items in an envelope; broken in the middle where it was told to be."""
        with self._locked():
            self._refuse("429", "5xx")
            if self._use_fault("malformed_page"):
                return {"data": [*items[: len(items) // 2], {"id": None}], "meta": "<html>"}
        return {"data": items, "meta": {"count": len(items)}}

    def post(
        self, network: str, parent: str, conversation: str, text: str, at: datetime, *, private: bool = False
    ) -> str:
        """Publish an answer, or say it to its addressee alone; its id."""
        with self._locked():
            self._refuse("429", "5xx")
            number = sum(1 for reply in self._read(self._replies) if reply["parent"] == parent)
            key = "r" + blake2b(f"{network}:{parent}:{number}".encode(), digest_size=6).hexdigest()
            reply = {
                "id": key,
                "network": network,
                "parent": parent,
                "conversation": conversation,
                "text": text,
                "time": at.isoformat(),
            }
            self._write(self._replies, {**reply, "private": True} if private else reply)
            if self._use_fault("timeout_after_send"):
                raise NetworkAnswerError(0, "no answer within 10 seconds")
        return key

    def act(self, network: str, native_id: str, act: str, at: datetime) -> None:
        """Hide a message, show it again, or delete it; what is so already stays so."""
        with self._locked():
            self._refuse("429", "5xx")
            if self._state(network, native_id) != act:
                self._write(self._acts, {"network": network, "id": native_id, "act": act, "time": at.isoformat()})
            if self._use_fault("timeout_after_send"):
                raise NetworkAnswerError(0, "no answer within 10 seconds")

    def acts(self) -> list[dict[str, Any]]:
        """All that was done to messages, oldest first."""
        with self._locked():
            return self._read(self._acts)

    def is_deleted(self, network: str, native_id: str) -> bool:
        """True where the message was deleted."""
        with self._locked():
            return self._state(network, native_id) == "delete"

    def _state(self, network: str, native_id: str) -> str:
        done = [act["act"] for act in self._read(self._acts) if (act["network"], act["id"]) == (network, native_id)]
        return done[-1] if done else "unhide"

    def replies(self) -> list[dict[str, Any]]:
        """All answers that the network ever took, oldest first."""
        with self._locked():
            return self._read(self._replies)

    @staticmethod
    def _write(path: Path, line: dict[str, Any]) -> None:
        with path.open("a", encoding="utf-8") as handle:
            handle.write(json.dumps(line, ensure_ascii=False) + "\n")
            handle.flush()
            os.fsync(handle.fileno())

    @staticmethod
    def _read(path: Path) -> list[dict[str, Any]]:
        if not path.exists():
            return []
        lines = path.read_text("utf-8").splitlines()
        found = []
        for line in lines:
            try:
                found.append(json.loads(line))
            except json.JSONDecodeError:
                continue  # half a line: its writer died before the network had accepted anything
        return found
