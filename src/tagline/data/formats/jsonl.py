"""JSON Lines: one object a line."""

from tagline.data.formats.base import Format, Source, first_line
from tagline.data.formats.json_text.document import is_json_lines, read_json


def _sniff(source: Source) -> int:
    return 90 * (first_line(source.sample).startswith("{") and is_json_lines(source))


FORMAT = Format("jsonl", (".jsonl", ".ndjson"), read_json, sniff=_sniff)
