"""`Facts`: how a dataset was read, and what the inspections found in it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from tagline.data.rows import Rejected
from tagline.key_findings import KeyFinding


@dataclass(frozen=True)
class Facts:
    """How `load_dataset` read the data, and what it found; ``to_json`` gives plain values without any text.

    ``found`` holds the facts of all inspections by name: ``dropped`` counts rows by reason, ``duplicates`` by kind
    (see `tagline.data.inspections.duplicates`); ``lengths`` are in characters, by split: mean, median, p95, max;
    ``class_counts`` are rows by split and class. ``warnings`` are whole sentences, those of ``key_findings`` included.
    ``left_out`` are ``reason``, ``file`` and ``line`` of the rows without a text or a label.
    ``copies`` are the rows of texts that have several labels or are in several splits, as in ``copies.csv``; None if
    there are none.
    """

    rows_read: int
    text_columns: tuple[str, ...]
    label_columns: tuple[str, ...]
    label_separator: str | None
    chosen: str
    split: str
    official: bool
    rejected: tuple[Rejected, ...]
    found: Mapping[str, Any]
    warnings: tuple[str, ...]
    key_findings: tuple[KeyFinding, ...] = ()
    left_out: pl.DataFrame | None = None
    copies: pl.DataFrame | None = None

    @property
    def label_column(self) -> str | None:
        """The label column; None if there are several."""
        return self.label_columns[0] if len(self.label_columns) == 1 else None

    @property
    def dropped(self) -> Mapping[str, int]:
        """Rows that were left out, by reason."""
        found: Mapping[str, int] = self.found["dropped"]
        return found

    @property
    def duplicates(self) -> Mapping[str, int]:
        """Copies of texts, by kind."""
        found: Mapping[str, int] = self.found["duplicates"]
        return found

    @property
    def lengths(self) -> Mapping[str, Mapping[str, float]]:
        """Mean, median, p95 and max of the lengths of texts in characters, by split."""
        found: Mapping[str, Mapping[str, float]] = self.found["lengths"]
        return found

    @property
    def class_counts(self) -> Mapping[str, Mapping[str, int]]:
        """Rows by split and class."""
        found: Mapping[str, Mapping[str, int]] = self.found["class_counts"]
        return found

    def of_measured_rows(self) -> "Facts":
        """Return the facts with what concerns rows that a model is only measured on."""
        of_training = {key.sentence: key.measured for key in self.key_findings if key.of_training}
        warnings = (of_training.get(warning, warning) for warning in self.warnings)
        findings = (
            replace(key, sentence=key.measured, of_training=False) if key.of_training else key
            for key in self.key_findings
        )
        return replace(
            self,
            found={name: value for name, value in self.found.items() if name != "weights"},
            warnings=tuple(warning for warning in warnings if warning),
            key_findings=tuple(key for key in findings if key.sentence),
        )

    def of_run(self) -> "Facts":
        """Return the facts with sentences that name the file of a run that lists all rows."""
        named = {
            key.sentence: f"{key.sentence} All are in `{key.listed_in}` of the run."
            for key in self.key_findings
            if key.listed_in
        }
        return replace(
            self,
            warnings=tuple(named.get(warning, warning) for warning in self.warnings),
            key_findings=tuple(
                replace(key, sentence=named.get(key.sentence, key.sentence), listed_in="") for key in self.key_findings
            ),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the facts as JSON values; of rejected rows place and reason, not the text."""
        return {
            "rows_read": self.rows_read,
            "text_columns": list(self.text_columns),
            "label_column": self.label_column,
            "label_columns": list(self.label_columns),
            "label_separator": self.label_separator,
            "chosen": self.chosen,
            "split": self.split,
            "official": self.official,
            **self.found,
            "warnings": list(self.warnings),
        }

    def rejected_frame(self) -> pl.DataFrame:
        """Return the rejected rows as a frame: ``file``, ``line``, ``reason``, ``excerpt``."""
        schema = {"file": pl.String, "line": pl.Int64, "reason": pl.String, "excerpt": pl.String}
        return pl.DataFrame([(r.file, r.line, r.reason, r.excerpt) for r in self.rejected], schema, orient="row")
