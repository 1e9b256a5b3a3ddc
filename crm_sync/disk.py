"""Bytes on a disk: written whole, and there after a power cut. What they mean is the callers'.

Every function lets OSError through. To add one, keep to the calls of `os`, which the tests make fail one by one.
"""

import os
from pathlib import Path

BINARY = getattr(os, "O_BINARY", 0)


def signature(path: Path) -> tuple[int, int, int] | None:
    """Tells whether a file changed: its number, size and time; None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def read_at(descriptor: int, span: tuple[int, int]) -> bytes:
    """The bytes of a span: offset and length."""
    offset, length = span
    os.lseek(descriptor, offset, os.SEEK_SET)
    return os.read(descriptor, length)


def write(descriptor: int, data: bytes) -> None:
    """All of it; a system may take only a part at a time."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def append(path: Path, data: bytes) -> None:
    """At the end of the file, and on the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | BINARY)
    try:
        write(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def truncate(path: Path, size: int) -> None:
    """Only the first `size` bytes are left, and that is on the disk."""
    descriptor = os.open(path, os.O_RDWR | BINARY)
    try:
        os.ftruncate(descriptor, size)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """New names in this folder are on the disk."""
    if os.name == "nt":
        return  # Windows opens no folders, and has the rename on disk by itself
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
