"""One writer at a time in a folder, across processes: a lock that the system lets go of when its holder dies.

Nothing here knows what is written. A lock *file* would outlive a killed process; a lock *on* a file does not.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

LOCK_NAME = ".lock"
_PAUSE = 0.02  # seconds between two tries

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


class Lock:
    """The lock while it is held, with a number in its file that all writers share.

    Attributes:
        generation: how often files of the folder were replaced; while it stands still, they only grew.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        os.lseek(descriptor, 0, os.SEEK_SET)
        digits = os.read(descriptor, 20)
        self.generation = int(digits) if digits.isdigit() else 0

    def advance(self) -> None:
        """Tell the other writers that a file is about to be replaced."""
        self.generation += 1
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.write(self._descriptor, b"%020d" % self.generation)


class FolderBusyError(Exception):
    """Another process kept the lock for longer than we wait."""


@contextmanager
def locked(folder: Path, patience: timedelta) -> Iterator[Lock]:
    """Hold the folder's lock. Raises FolderBusyError after `patience`, OSError where the folder takes no lock."""
    descriptor = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o660)
    try:
        give_up_at = time.monotonic() + patience.total_seconds()
        while not _try_lock(descriptor):
            if time.monotonic() >= give_up_at:
                raise FolderBusyError(str(folder))
            time.sleep(_PAUSE)
        try:
            yield Lock(descriptor)
        finally:
            _unlock(descriptor)
    finally:
        os.close(descriptor)
