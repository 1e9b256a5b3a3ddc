"""How far a mailbox has been read: for each folder, the last number and under which numbering. The cursor's contents, pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from collectors.values import content_id
from collectors.wire import count_of, dict_of, text_of
from domain.contracts import Cursor


@dataclass(frozen=True, slots=True)
class FolderPlace:
    """How far one folder has been read.

    Attributes:
        validity: the numbering that `uid` belongs to.
        newest: when the newest letter read so far came, ISO; where to go back to if the folder is numbered anew.
    """

    validity: int
    uid: int
    newest: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """How far a mailbox has been read; `mailbox` tells it from others, whose places mean nothing here."""

    mailbox: str
    folders: Mapping[str, FolderPlace]

    @classmethod
    def read(cls, cursor: Cursor | None, mailbox: str) -> "Place":
        """What a cursor says; nothing where it is another mailbox's, or of another make: reading again loses nothing."""
        try:
            parts = dict_of(json.loads(cursor or "{}"))
        except (ValueError, RecursionError):
            parts = {}
        if parts.get("mailbox") != mailbox:
            return cls(mailbox, {})
        found = {text_of(name): _folder(value) for name, value in dict_of(parts.get("folders")).items()}
        return cls(mailbox, {name: place for name, place in found.items() if place is not None})

    def at(self, folder: str, place: FolderPlace) -> "Place":
        """The same, with one folder read further."""
        return Place(self.mailbox, {**self.folders, folder: place})

    def cursor(self) -> Cursor:
        """The place as a cursor."""
        folders = {name: [one.validity, one.uid, one.newest] for name, one in self.folders.items()}
        return Cursor(json.dumps({"mailbox": self.mailbox, "folders": folders}, sort_keys=True))


def mailbox_key(host: str, user: str) -> str:
    """What tells one mailbox from others, without naming it."""
    return content_id((host.lower(), user.lower()))


def _folder(value: Any) -> FolderPlace | None:
    if not isinstance(value, list) or len(value) != 3:
        return None
    validity, uid, newest = count_of(value[0]), count_of(value[1]), text_of(value[2])
    if validity is None or uid is None:
        return None
    try:
        known = datetime.fromisoformat(newest).tzinfo is not None
    except ValueError:
        known = False
    return FolderPlace(validity, uid, newest if known else "")
