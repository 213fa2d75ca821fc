"""Rows of whatever the caller names: a file, a folder, a glob, a built-in set or a Python object."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tagline.data.annotation_tools import read_export
from tagline.data.builtin.catalog import BUILT_IN
from tagline.data.columns import with_nested
from tagline.data.reading import DETECT, FileLayout
from tagline.data.rows import Rows
from tagline.data.sources.files import read_file
from tagline.data.sources.folders import is_glob, read_folder, read_glob
from tagline.data.sources.objects import read_object
from tagline.data.streams import STDIN
from tagline.data.wording import listed
from tagline.errors import DataError, nearest


def read_source(data: Any, *, expected: Sequence[str] = (), layout: FileLayout = DETECT) -> Rows:
    """Read rows from a path, a folder, a glob, ``-``, a built-in name or a Python object, as `read_export` reads them.

    ``expected`` are column names that the caller requests, also of values inside objects (``body.title``); ``layout``
    is how its text files are written. Raises `DataError` if there is nothing readable.
    """
    try:
        found = _read_source(data, expected, layout)
    except OSError as error:  # a name too long, a loop of links, a disk that fails
        raise DataError(f"`{error.filename or data}` cannot be read: {error.strerror or error}.") from error
    rows = read_export(found, expected)
    return replace(rows, frame=with_nested(rows.frame, expected))


def _read_source(data: Any, expected: Sequence[str], layout: FileLayout) -> Rows:
    if not isinstance(data, str | Path):
        return read_object(data)
    name = str(data)
    if isinstance(data, str) and name in BUILT_IN:
        return BUILT_IN[name].read()
    path = Path(name)
    if name == STDIN or path.is_file():
        return read_file(name, expected=expected, layout=layout)
    if path.is_dir():
        return read_folder(name, expected=expected, layout=layout)
    if is_glob(name):
        return read_glob(name, expected=expected, layout=layout)
    if path.exists():
        return read_file(name, expected=expected, layout=layout)
    if path.name != name or path.suffix:
        siblings = [child.name for child in path.parent.iterdir()] if path.parent.is_dir() else []
        raise DataError(f"`{name}` does not exist.{nearest(path.name, siblings)}")
    raise DataError(
        f"`{name}` is neither a file, a folder nor a built-in dataset.{nearest(name, BUILT_IN)} "
        f"Built-in datasets are {listed(BUILT_IN)}."
    )
