"""File formats: each module with a ``FORMAT`` reads one kind of file into frames of columns.

To read another kind of file, add one module here. `FORMATS` holds the ``FORMAT`` of every module by its name.
"""

from tagline.data.formats.base import Format, Source
from tagline.registry import load_entries

__all__ = ["FORMATS", "SUFFIXES", "Format", "Source"]

#: Every readable format by its name.
FORMATS: dict[str, Format] = {entry.name: entry for entry in load_entries(__name__, "FORMAT")}
#: Formats by suffix.
SUFFIXES: dict[str, Format] = {suffix: format_ for format_ in FORMATS.values() for suffix in format_.suffixes}
