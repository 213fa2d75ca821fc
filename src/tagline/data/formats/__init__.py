"""File formats: each module with a ``FORMAT`` reads one kind of file into frames of columns.

To read another kind of file, add one module here. `FORMATS` holds the ``FORMAT`` of every module by its name.
"""

from importlib import import_module
from pkgutil import iter_modules

from tagline.data.formats.base import Format, Source

__all__ = ["FORMATS", "SUFFIXES", "Format", "Source"]

_MODULES = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
#: Every readable format by its name.
FORMATS: dict[str, Format] = {module.FORMAT.name: module.FORMAT for module in _MODULES if hasattr(module, "FORMAT")}
#: Formats by suffix.
SUFFIXES: dict[str, Format] = {suffix: format_ for format_ in FORMATS.values() for suffix in format_.suffixes}
