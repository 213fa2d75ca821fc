"""Exports of annotation tools: each module with a ``TOOL`` recognises those of one tool, and finds text and label.

To read the exports of another tool, add one module here. `TOOLS` holds the ``TOOL`` of every module by its name.
"""

from collections.abc import Sequence
from dataclasses import replace

from tagline.data.annotation_tools.base import Tool
from tagline.data.rows import Rows
from tagline.registry import load_entries

__all__ = ["TOOLS", "Tool", "read_export"]

#: Every annotation tool by its name.
TOOLS: dict[str, Tool] = {tool.name: tool for tool in load_entries(__name__, "TOOL")}


def read_export(rows: Rows, expected: Sequence[str]) -> Rows:
    """Return the rows of an annotation tool's export as labelled texts; others unchanged.

    ``expected`` are column names that the caller requests, which are kept.
    """
    tool = next((tool for tool in TOOLS.values() if tool.is_export(rows.frame)), None)
    if rows.label is not None or tool is None:
        return rows
    read = tool.read(rows)
    kept = [rows.frame[name] for name in expected if name in rows.frame.columns and name not in read.frame.columns]
    return replace(
        rows,
        frame=read.frame.with_columns(kept),
        text=rows.text or read.text,
        label=read.label,
        notes=(*rows.notes, f"Read as an export of {tool.name}.", *read.notes),
        left_out=read.left_out,
        questions=read.questions,
    )
