"""SageMaker Ground Truth: manifests with the text in ``source``, class numbers in a column for each labelling job.

The class names are in the metadata of the job: ``class-name``, or ``class-map`` where a text may have several.
"""

from typing import Any

import polars as pl

from tagline.data.annotation_tools.base import Answer, Export, Tool, cells, holds, label_column
from tagline.data.rows import Rows

_TEXT = "source"
_METADATA = "-metadata"
_NAME, _NAMES = "class-name", "class-map"


def _jobs(frame: pl.DataFrame) -> list[str]:
    """Return the columns of jobs that classify whole texts."""
    columns = set(frame.columns)
    jobs = [name.removesuffix(_METADATA) for name in frame.columns if name.endswith(_METADATA)]
    return [
        job
        for job in jobs
        if job in columns
        and holds(frame, job + _METADATA, dict)
        and any({_NAME, _NAMES} & set(cell) for cell in cells(frame[job + _METADATA]) if isinstance(cell, dict))
    ]


def _is_export(frame: pl.DataFrame) -> bool:
    return _TEXT in frame.columns and bool(_jobs(frame))


def _read(rows: Rows) -> Export:
    jobs = _jobs(rows.frame)
    answers = [label_column(job, [_names(cell) for cell in cells(rows.frame[job + _METADATA])]) for job in jobs]
    return Export(rows.frame.with_columns(answers), text=_TEXT, questions=tuple(jobs))


def _names(metadata: Any) -> Answer:
    if not isinstance(metadata, dict):
        return None
    if isinstance(metadata.get(_NAMES), dict):
        return tuple(str(name) for name in metadata[_NAMES].values())
    return None if metadata.get(_NAME) is None else (str(metadata[_NAME]),)


TOOL = Tool("SageMaker Ground Truth", _is_export, _read)
