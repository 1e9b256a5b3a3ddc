"""Reading a mailbox from a place on: folder by folder, oldest letters first, a page at a time; and spans of the past.

Numbers (UID) only grow, so each page's cursor is safe. Where a folder is numbered anew, its letters are read again from when
the newest known one came; what is known falls on its Message-ID. What a letter means is in `mail_map`.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from collectors.mail_imap import Found, Mailbox, Opened, day
from collectors.mail_map import left_out, map_letter, native_id_of, notes_of
from collectors.mail_place import FolderPlace, Place
from collectors.mail_settings import Account
from collectors.wire import at, rejected, text_of
from domain.contracts import Cursor, Page, Reject, Spend
from domain.errors import InputError
from domain.mention import Mention

PAGE_SIZE = 50
_ALIKE = 5  # letters whose id contains the one that is looked for
_LONGEST_CHAIN = 5  # letters looked up to find the beginning of a thread
_MARGIN = timedelta(days=1)  # servers search by days of their own zone
_PASSED = frozenset({"\\draft", "\\deleted"})
_WINDOW = timedelta(days=7)


class Reading:
    """One run over the folders of a mailbox."""

    def __init__(self, box: Mailbox, account: Account, now: datetime) -> None:
        self._box, self._account, self._now = box, account, now
        self._sent = box.sent()
        self._seen: set[str] = set()
        self._roots: dict[str, str] = {}
        self._folders = tuple(dict.fromkeys([*account.folders, *([self._sent] if self._sent else [])]))

    def pages(self, place: Place) -> Iterator[Page]:
        """All that is new since `place`."""
        told = place
        notes: list[str] = []
        if not self._sent:
            notes.append(
                "No folder of sent mails was found: answers given elsewhere are not heard. Name it in the setting sent_folder."
            )
        for folder in self._folders:
            opened = self._box.open(folder)
            first, criteria, note = self._start(opened, place.folders.get(folder))
            notes += [note] if note else []
            for uids in self._portions(opened, first, criteria):
                found = self._box.letters(uids)
                newest = _newest([place.folders.get(folder), *found])
                place = place.at(folder, FolderPlace(opened.validity, uids[-1], newest))
                yield self._page(opened, found, place.cursor(), notes)
                told, notes = place, []
            known = place.folders.get(folder)
            last = max(opened.next_uid - 1, known.uid if known and known.validity == opened.validity else 0)
            place = place.at(folder, FolderPlace(opened.validity, last, _newest([known])))
        if place != told:
            yield Page((), place.cursor(), notes=tuple(notes))

    def past(self, since: datetime, until: datetime, cursor: Cursor | None) -> Iterator[Page]:
        """The letters of a span, window by window, the oldest first."""
        start = _window_after(cursor, since)
        while start < until:
            end = min(start + _WINDOW, until)
            for folder in self._folders:
                opened = self._box.open(folder)
                criteria = f"SINCE {day(start - _MARGIN)} BEFORE {day(end + 2 * _MARGIN)}"
                for uids in self._portions(opened, 1, criteria):
                    letters = self._box.letters(uids)
                    inside = [one for one in letters if one.received_at is None or start <= one.received_at < end]
                    if inside:
                        yield self._page(opened, inside, None, [])
            start = end
            yield Page((), Cursor(json.dumps({"read_until": end.isoformat()})))

    # -- below -----------------------------------------------------------------------------------------------------------

    def _start(self, opened: Opened, known: FolderPlace | None) -> tuple[int, str, str]:
        """The first number to ask for, what else to ask for, and a remark."""
        if known and known.validity == opened.validity:
            return known.uid + 1, "", ""
        since, note = self._now - self._account.history, ""
        if known:
            if known.newest:
                since = min(since, datetime.fromisoformat(known.newest)) - _MARGIN
            note = f"The server has numbered the folder “{opened.name}” anew: it is read again, and nothing is doubled."
        return 1, f"SINCE {day(since.astimezone(UTC))}", note

    def _portions(self, opened: Opened, first: int, criteria: str) -> Iterator[list[int]]:
        for uids in self._box.numbers(first, opened.next_uid - 1, criteria):
            for start in range(0, len(uids), PAGE_SIZE):
                yield uids[start : start + PAGE_SIZE]

    def _page(self, opened: Opened, found: Sequence[Found], cursor: Cursor | None, notes: Sequence[str]) -> Page:
        mentions: list[Mention] = []
        rejects: list[Reject] = []
        passed: Counter[str] = Counter()
        in_sent = opened.name == self._sent
        for one in found:
            why = left_out(one.letter, self._account.own)
            if why:
                passed[why] += 1
            if why or one.flags & _PASSED:
                continue
            try:
                root = self._root(one, opened)
                mention = map_letter(one.letter, self._account.own, in_sent=in_sent, root=root, folder=opened.name)
            except InputError as error:
                rejects.append(rejected(f"{opened.name}, mail {one.uid}", str(error), _described(one)))
                continue
            if mention.native_id not in self._seen:  # a copy in another folder
                self._seen.add(mention.native_id)
                mentions.append(mention)
        return Page(
            tuple(mentions),
            cursor,
            rejects=tuple(rejects),
            notes=(*notes, *notes_of(passed)),
            spent=Spend(call_count=1, item_count=len(mentions)),
        )

    def _root(self, found: Found, opened: Opened) -> str:
        """The beginning of the thread of a letter that names only what it answers; "" where the letter names it itself."""
        letter = found.letter
        if letter.references or not letter.in_reply_to:
            return ""
        wanted, chain = letter.in_reply_to, [native_id_of(letter)]
        while wanted not in self._roots and wanted not in chain and len(chain) <= _LONGEST_CHAIN:
            chain.append(wanted)
            parent = self._lookup(wanted)
            if parent is None:
                break
            if parent.letter.references:
                wanted = parent.letter.references[0]
                break
            if not parent.letter.in_reply_to:
                break
            wanted = parent.letter.in_reply_to
        if len(chain) > 1:
            self._box.open(opened.name)
        root = self._roots.get(wanted, wanted)
        self._roots.update(dict.fromkeys(chain, root))
        return root

    def _lookup(self, message_id: str) -> Found | None:
        for folder in self._folders:
            self._box.open(folder)
            for letter in self._box.letters(self._box.with_id(message_id)[:_ALIKE]):
                if letter.letter.message_id == message_id:
                    return letter
        return None


def _newest(items: Sequence[Found | FolderPlace | None]) -> str:
    moments = [one.newest for one in items if isinstance(one, FolderPlace) and one.newest]
    moments += [one.received_at.isoformat() for one in items if isinstance(one, Found) and one.received_at]
    return max(moments, default="", key=datetime.fromisoformat)


def _described(found: Found) -> dict[str, str]:
    return {"message_id": found.letter.message_id, "subject": found.letter.subject, "from": found.letter.sender.address}


def _window_after(cursor: Cursor | None, since: datetime) -> datetime:
    try:
        written = text_of(at(json.loads(cursor or "{}"), "read_until"))
        read_until = datetime.fromisoformat(written)
    except (ValueError, RecursionError):
        return since
    return max(since, read_until) if read_until.tzinfo else since
