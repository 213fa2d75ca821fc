"""Every error that tagline raises on purpose.

::

    TaglineError                    something tagline can say in one sentence
    ├── InputError                  the user's input or arguments are wrong (exit status 2)
    │   ├── DataError               a data file: which file, which row, what to do
    │   ├── RecipeError             a recipe or one of its keys
    │   ├── BundleError             a model bundle that is damaged, newer or not one
    │   └── MissingExtraError       a part that a `pip install` would bring
    └── DownloadError               a file that could not be fetched whole (exit status 1)

Messages are whole sentences with values in backticks. The command line prints them as one line.
"""

import errno
import os
import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path


class TaglineError(Exception):
    """Something went wrong that one sentence can explain."""

    exit_status = 1


class InputError(TaglineError, ValueError):
    """The user's input is invalid."""

    exit_status = 2


class DataError(InputError):
    """A file, a column or a row of the user's data cannot be used."""


class ColumnError(DataError):
    """A column is missing, or it is not clear which one is meant.

    ``answer`` are options of the command line that name the likely ones; ``columns`` are those of the file.
    """

    def __init__(self, message: str, answer: tuple[str, ...], columns: Sequence[str]) -> None:
        super().__init__(message)
        self.answer, self.columns = answer, tuple(columns)


class RecipeError(InputError):
    """A recipe is unknown, or one of its keys or values is wrong."""


class BundleError(InputError):
    """A model folder is damaged, was written by a newer tagline, or is not a model at all."""


class MissingExtraError(InputError, ImportError):
    """An optional part is not installed; the message names the `pip install` that mends it."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an optional part: run `pip install 'tagline[{extra}]'`.")


class DownloadError(TaglineError):
    """A file could not be downloaded whole and verified."""


def is_disk_full(error: Exception) -> bool:
    """Return whether an error says that a disk, a quota or a file is full.

    polars writes the number of an error into its message, and NumPy how much it could not write; SQLite has its own.
    """
    if not isinstance(error, OSError):
        return str(error) == "database or disk is full"
    number = error.errno
    if number is None and (found := re.search(r"\(os error (\d+)\)", str(error))):
        number = int(found[1])
    full = number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return full or (number is None and re.search(r"\d requested and \d+ written", str(error)) is not None)


def as_unicode(argument: str | Path) -> str:
    """Return a path or another argument as text: U+FFFD stands for bytes that are not UTF-8, which Python escapes."""
    return os.fsencode(argument).decode(errors="replace")


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint naming the known name nearest to ``name``, or the empty string.

    >>> nearest("fats", ["fast", "svm"])
    ' Did you mean `fast`?'
    """
    found = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" Did you mean `{found[0]}`?" if found else ""
