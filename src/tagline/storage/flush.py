"""Flush files and folders to the disk (fsync), so that they are there after a power failure."""

import os
from contextlib import suppress
from pathlib import Path


def flush_file(path: Path) -> None:
    """Flush the content of a file."""
    descriptor = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_folder(folder: Path) -> None:
    """Flush the names in a folder."""
    if os.name == "posix":
        with suppress(OSError):  # some file systems cannot; the content of the files has been flushed
            flush_file(folder)


def flush_tree(folder: Path) -> None:
    """Flush all files and folders below a folder, and its own names."""
    for path in folder.rglob("*"):
        if path.is_dir():
            flush_folder(path)
        elif path.is_file():
            flush_file(path)
    flush_folder(folder)
