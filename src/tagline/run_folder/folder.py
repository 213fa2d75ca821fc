"""`RunFolder`: reads and writes every file of a run."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagline.errors import InputError
from tagline.run_folder.class_metrics import class_frame, with_all_classes, with_notable_classes
from tagline.run_folder.data import RunData
from tagline.run_folder.files import (
    CLASSES,
    COPIES,
    HISTORY,
    LEADERBOARD,
    METRICS,
    MISTAKES,
    MODEL,
    PLOTS,
    PREDICTIONS,
    RECIPE,
    REFIT_HISTORY,
    REJECTED,
    REPORT,
    RUN,
    TRAINED_ON,
    Json,
)
from tagline.run_folder.legacy import data_of_old_run, old_run_keeps_texts
from tagline.storage.atomic import recover, write_file

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from tagline.many_classes import Probabilities

History = dict[str, list[float]]  # columns of equal length, a row per epoch


@dataclass(frozen=True)
class RunFolder:
    """The folder of a run, and each file in it: properties read, once; ``write_...`` methods write.

    A property raises `InputError` if its file is damaged; `record` and `metrics` also if it is missing.
    """

    path: Path

    @property
    def model(self) -> Path:
        """The folder of the bundle."""
        return self.path / MODEL

    @property
    def plots(self) -> Path:
        """The folder of the plots."""
        return self.path / PLOTS

    @property
    def report(self) -> Path:
        """The page for people."""
        return self.path / REPORT

    @cached_property
    def record(self) -> Json:
        """The content of ``run.json``."""
        return self._read_object(RUN)

    @cached_property
    def metrics(self) -> Json:
        """The content of ``metrics.json``, with the metrics of all classes."""
        found, of_classes = self._read_object(METRICS), self._read_parquet(CLASSES)
        if of_classes is None:
            return found
        try:
            return with_all_classes(found, of_classes)
        except ValueError as error:
            raise InputError(f"`{self.path / CLASSES}` is damaged: {error}.") from None

    @cached_property
    def mistakes(self) -> list[Json]:
        """The content of ``mistakes.json``: the most confident mistakes; empty if the run keeps no texts."""
        if not (self.path / MISTAKES).exists():
            return []
        found = self._read_json(MISTAKES)
        if not isinstance(found, list):
            raise InputError(f"`{self.path / MISTAKES}` is damaged: it holds no list.")
        return found

    @cached_property
    def predictions(self) -> "pl.DataFrame | None":
        """The predictions of the measured rows, one row each; None if the run was not measured on test rows."""
        import polars as pl

        found = self._read_parquet(PREDICTIONS)
        if found is not None and "reason" in found.columns:  # of rows that were left out
            found = found.filter(pl.col("reason").is_null()).drop("reason").sort("row")
        return found

    @cached_property
    def history(self) -> History | None:
        """Of a network: figures by epoch, of the training that watched validation rows."""
        return read_history(self.path / HISTORY)

    @cached_property
    def refit_history(self) -> History | None:
        """Of a network: figures by epoch, of the final training on all rows, if there was one."""
        return read_history(self.path / REFIT_HISTORY)

    @cached_property
    def training_hashes(self) -> "NDArray[np.uint64] | None":
        """The sorted hashes of the training texts, (n_texts,); None if the file is missing or damaged."""
        import numpy as np

        try:
            hashes = np.load(self.path / TRAINED_ON, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        return hashes if isinstance(hashes, np.ndarray) and hashes.dtype == np.uint64 else None

    @property
    def data(self) -> RunData:
        """Where the rows came from and how they were split.

        Raises:
            InputError: ``data`` of ``run.json`` is missing or damaged.

        """
        try:
            if "data" in self.record:
                return RunData.from_json(self.record["data"])
            return data_of_old_run(self.record)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            message = f"`{self.path / RUN}` is damaged: `data` cannot be read ({type(error).__name__})."
            raise InputError(message) from None

    @property
    def test(self) -> Json:
        """The fingerprints and the number of the test rows; empty for runs older than the test ledger."""
        return self.record.get("test") or {}

    @property
    def keeps_texts(self) -> bool:
        """Whether the run may show texts of its data."""
        texts = self.record.get("texts")
        return old_run_keeps_texts(self) if texts is None else bool(texts)

    def write_record(self, record: Json) -> None:
        """Write ``run.json``."""
        self._write_json(RUN, record)

    def write_metrics(self, metrics: Json) -> None:
        """Write ``metrics.json``, and of very many classes ``classes.parquet``."""
        of_classes = class_frame(metrics)
        if of_classes is not None:
            self._write_parquet(CLASSES, of_classes)
        self._write_json(METRICS, with_notable_classes(metrics))

    def write_mistakes(self, mistakes: list[Json]) -> None:
        """Write ``mistakes.json``."""
        self._write_json(MISTAKES, mistakes, indent=None)

    def write_predictions(self, predictions: "pl.DataFrame", left_out: "pl.DataFrame | None" = None) -> None:
        """Write ``predictions.parquet``; with rows that were left out, all rows in the order of their files.

        ``left_out`` has the columns ``file``, ``line`` and ``reason``.
        """
        import polars as pl

        if left_out is not None and left_out.height:
            stacked = pl.concat([predictions, left_out], how="diagonal_relaxed")
            files = pl.int_range(pl.len()).first().over("file")
            predictions = stacked.sort(files, "line", maintain_order=True)
        self._write_parquet(PREDICTIONS, predictions)

    def write_history(self, history: Mapping[str, Any]) -> None:
        """Write ``history.csv``, from columns of equal length."""
        self._write_csv(HISTORY, history)

    def write_refit_history(self, history: Mapping[str, Any]) -> None:
        """Write ``refit_history.csv``, from columns of equal length."""
        self._write_csv(REFIT_HISTORY, history)

    def write_rejected(self, rejected: "pl.DataFrame") -> None:
        """Write ``rejected.csv``, in which no cell is a formula of a spreadsheet."""
        self._write_cells(REJECTED, rejected)

    def write_copies(self, copies: "pl.DataFrame") -> None:
        """Write ``copies.csv``, in which no cell is a formula of a spreadsheet."""
        self._write_cells(COPIES, copies)

    def write_training_hashes(self, hashes: "NDArray[np.uint64]") -> None:
        """Write ``trained_on.npy``, little-endian."""
        import numpy as np

        stream = io.BytesIO()
        np.save(stream, hashes.astype("<u8"), allow_pickle=False)
        self._write(TRAINED_ON, stream.getvalue())

    def write_search_file(self, name: str, content: str) -> None:
        """Write ``recipe.toml`` or ``leaderboard.csv``."""
        assert name in (RECIPE, LEADERBOARD)
        self._write(name, content)

    def _write(self, name: str, content: str | bytes) -> None:
        write_file(self.path / name, content)
        for cached in ("record", "metrics", "mistakes", "predictions", "history", "refit_history", "training_hashes"):
            self.__dict__.pop(cached, None)

    def _write_json(self, name: str, content: Any, indent: int | None = 1) -> None:
        self._write(name, json.dumps(content, ensure_ascii=False, indent=indent, allow_nan=False) + "\n")

    def _write_parquet(self, name: str, frame: "pl.DataFrame") -> None:
        stream = io.BytesIO()
        frame.write_parquet(stream)
        self._write(name, stream.getvalue())

    def _write_csv(self, name: str, columns: Mapping[str, Any]) -> None:
        import polars as pl

        self._write(name, pl.DataFrame(columns).write_csv())

    def _write_cells(self, name: str, frame: "pl.DataFrame") -> None:
        from tagline.data.formats.delimited.escaped_formulas import escape_formulas

        self._write(name, escape_formulas(frame).write_csv())

    def _read_json(self, name: str) -> Any:
        recover(self.path)
        path = self.path / name
        try:
            return json.loads(path.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            raise InputError(f"`{self.path}` is not a run: it has no `{name}`.") from None
        except (OSError, ValueError, RecursionError) as error:
            raise InputError(f"`{path}` is damaged: {error}.") from None

    def _read_parquet(self, name: str) -> "pl.DataFrame | None":
        """Return the content of a file that not all runs have; None if there is none."""
        import polars as pl

        path = self.path / name
        if not path.exists():
            return None
        try:
            return pl.read_parquet(path)
        except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            raise InputError(f"`{path}` is damaged: {str(error).splitlines()[0]}.") from None

    def _read_object(self, name: str) -> Json:
        content = self._read_json(name)
        if not isinstance(content, dict):
            raise InputError(f"`{self.path / name}` is damaged: it holds no object.")
        return content


def read_history(path: Path) -> History | None:
    """Read the figures of a training by epoch; columns without any value are left out, and so is a file without rows.

    Raises:
        InputError: the file is damaged.

    """
    if not path.exists():
        return None
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            rows, names = list(reader), [name for name in reader.fieldnames or [] if name]
        if not rows:
            return None
        filled = [name for name in names if any(row[name] for row in rows)]
        history = {name: [float(row[name] or math.nan) for row in rows] for name in filled}
        return history | {"epoch": [int(n) for n in history["epoch"]], "loss": history["loss"]}
    except KeyError as missing:
        raise InputError(f"`{path}` is damaged: it lacks the column `{missing.args[0]}`.") from None
    except (ValueError, csv.Error) as error:
        raise InputError(f"`{path}` is damaged: {error}.") from None


def probabilities(predictions: "pl.DataFrame", classes: Sequence[str]) -> "Probabilities | None":
    """Return the probability columns of ``predictions.parquet`` in the order of ``classes``, (n, n_classes).

    Those of a label tree are its most probable classes. None if a column is missing.
    """
    import polars as pl

    if "top_1" in predictions.columns:
        return _top_probabilities(predictions, classes)

    columns = [f"proba:{name}" for name in classes]
    if not set(columns) <= set(predictions.columns):
        return None
    return predictions.select(columns).cast(pl.Float64).to_numpy()


def _top_probabilities(predictions: "pl.DataFrame", classes: Sequence[str]) -> "Probabilities":
    import numpy as np
    import polars as pl

    from tagline.many_classes import TopProbabilities

    names = [name for name in predictions.columns if name.startswith("top_") and not name.endswith("_probability")]
    places = pl.DataFrame({"name": list(classes), "place": range(len(classes))}, schema_overrides={"place": pl.Int64})
    found = [
        predictions.select(name=column).join(places, on="name", how="left", maintain_order="left")["place"]
        for column in names
    ]
    values = predictions.select(f"{name}_probability" for name in names).cast(pl.Float64).to_numpy()
    return TopProbabilities(np.column_stack([column.to_numpy() for column in found]), values, len(classes))
