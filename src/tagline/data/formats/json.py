"""JSON: a document that holds a table."""

from tagline.data.formats.base import Format, Source, first_line
from tagline.data.formats.json_text.document import read_json


def _sniff(source: Source) -> int:
    line = first_line(source.sample).strip()
    return 80 * (line.startswith(("[{", '{"')) or line in ("[", "{"))


FORMAT = Format("json", (".json",), read_json, sniff=_sniff)
