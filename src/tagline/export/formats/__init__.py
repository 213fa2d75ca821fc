"""Export formats: each module with a ``FORMAT`` writes a model in one form.

To add a format, add one module here; it imports what it needs when it is called, so that the help of the command stays
quick. `EXPORT_FORMATS` holds the ``FORMAT`` of every module by its name.
"""

from tagline.export.base import ExportFormat
from tagline.registry import load_entries

#: Every export format by its name.
EXPORT_FORMATS: dict[str, ExportFormat] = {entry.name: entry for entry in load_entries(__name__, "FORMAT")}
