"""Export formats: each module with a ``FORMAT`` writes a model in one form.

To add a format, add one module here; it imports what it needs when it is called, so that the help of the command stays
quick. `EXPORT_FORMATS` holds the ``FORMAT`` of every module by its name.
"""

from importlib import import_module
from pkgutil import iter_modules

from tagline.export.base import ExportFormat

_MODULES = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
#: Every export format by its name.
EXPORT_FORMATS: dict[str, ExportFormat] = {module.FORMAT.name: module.FORMAT for module in _MODULES}
