"""A run: the folder that holds a trained model and everything that was recorded and measured with it.

::

    run.json              what was trained on which data, with which settings, versions and machine
    metrics.json          figures with 95 % intervals, seconds, memory
    predictions.parquet   of the test rows: label, prediction, probabilities
    mistakes.json         the most confident mistakes, with attributions
    history.csv           of a network: the figures of each epoch; refit_history.csv: of the final training on all rows
    rejected.csv          rows of the data that could not be read
    trained_on.npy        hashes of the texts of the training and validation rows
    recipe.toml           of a search: the recipe it found; leaderboard.csv: all candidates
    report.html, plots/   for people
    model/                the bundle
    tensorboard/          event files, with `--track tensorboard`

Beside the runs lies ``test_ledger.jsonl``, which counts how often a test set has been read.
"""

import csv
import io
import json
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagline.atomic import make_parents, recover, replace_folder, write_file
from tagline.bundle import INDEX
from tagline.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from tagline.classifier import TextClassifier

RUNS = Path("runs")
FORMAT = 1
RUN, METRICS, PREDICTIONS, MISTAKES = "run.json", "metrics.json", "predictions.parquet", "mistakes.json"
HISTORY, REFIT_HISTORY, REJECTED, TRAINED_ON = "history.csv", "refit_history.csv", "rejected.csv", "trained_on.npy"
RECIPE, LEADERBOARD, REPORT = "recipe.toml", "leaderboard.csv", "report.html"
PLOTS, MODEL, EVENTS = "plots", "model", "tensorboard"
LEDGER = "test_ledger.jsonl"
_FILES = {
    *(RUN, METRICS, PREDICTIONS, MISTAKES, HISTORY, REFIT_HISTORY),
    *(REJECTED, TRAINED_ON, RECIPE, LEADERBOARD, REPORT),
}
_KEYS = {"format", "name", "created", "recipe", "dataset"}  # of run.json

Json = dict[str, Any]
History = dict[str, list[float]]  # columns of equal length, a row per epoch


@dataclass(frozen=True)
class RunData:
    """Where the rows of a run came from and how they were split: ``data`` in ``run.json``.

    Attributes:
        source: the name of a built-in data set, or the path of a file or folder, or a glob; None if the data cannot be
            read again, because it was handed over in Python or came from standard input.
        text: the text columns.
        label: the label column.
        group: the column of groups that a split keeps together.
        test: the file of test rows, if there was one.
        validation: the file of validation rows, if there was one.
        folds: the number of folds, if the run was measured by cross-validation.

    """

    source: str | None
    text: tuple[str, ...] = ()
    label: str | None = None
    group: str | None = None
    test: str | None = None
    validation: str | None = None
    folds: int | None = None

    def to_json(self) -> Json:
        """Return the content of ``data`` in ``run.json``."""
        return asdict(self) | {"text": list(self.text)}


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
        """The content of ``metrics.json``."""
        return self._read_object(METRICS)

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
        """The predictions of the test rows, one row each; None if the run was not measured on test rows."""
        import polars as pl

        path = self.path / PREDICTIONS
        if not path.exists():
            return None
        try:
            return pl.read_parquet(path)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise InputError(f"`{path}` is damaged: {str(error).splitlines()[0]}.") from None

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
            InputError: ``run.json`` does not tell.

        """
        try:
            if "data" in self.record:
                return RunData(**self.record["data"] | {"text": tuple(self.record["data"]["text"])})
            return _data_of_old_run(self.record)
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
        return _old_run_keeps_texts(self) if texts is None else bool(texts)

    def write_record(self, record: Json) -> None:
        """Write ``run.json``."""
        self._write_json(RUN, record)

    def write_metrics(self, metrics: Json) -> None:
        """Write ``metrics.json``."""
        self._write_json(METRICS, metrics)

    def write_mistakes(self, mistakes: list[Json]) -> None:
        """Write ``mistakes.json``."""
        self._write_json(MISTAKES, mistakes, indent=None)

    def write_predictions(self, predictions: "pl.DataFrame") -> None:
        """Write ``predictions.parquet``."""
        stream = io.BytesIO()
        predictions.write_parquet(stream)
        self._write(PREDICTIONS, stream.getvalue())

    def write_history(self, history: Mapping[str, Any]) -> None:
        """Write ``history.csv``, from columns of equal length."""
        self._write_csv(HISTORY, history)

    def write_refit_history(self, history: Mapping[str, Any]) -> None:
        """Write ``refit_history.csv``, from columns of equal length."""
        self._write_csv(REFIT_HISTORY, history)

    def write_rejected(self, rejected: "pl.DataFrame") -> None:
        """Write ``rejected.csv``."""
        self._write(REJECTED, rejected.write_csv())

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

    def _write_csv(self, name: str, columns: Mapping[str, Any]) -> None:
        import polars as pl

        self._write(name, pl.DataFrame(columns).write_csv())

    def _read_json(self, name: str) -> Any:
        recover(self.path)
        path = self.path / name
        try:
            return json.loads(path.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            raise InputError(f"`{self.path}` is not a run: it has no `{name}`.") from None
        except (OSError, ValueError, RecursionError) as error:
            raise InputError(f"`{path}` is damaged: {error}.") from None

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


def probabilities(predictions: "pl.DataFrame", classes: Sequence[str]) -> "NDArray[np.float64] | None":
    """Return the probability columns of ``predictions.parquet`` in the order of ``classes``, (n, n_classes).

    None if one of them is missing.
    """
    import polars as pl

    columns = [f"proba:{name}" for name in classes]
    if not set(columns) <= set(predictions.columns):
        return None
    return predictions.select(columns).cast(pl.Float64).to_numpy()


def model_folder(path: str | Path) -> Path:
    """Return the folder of a bundle: ``path``, or the folder ``model`` of the run there."""
    folder = Path(path)
    recover(folder)
    return folder / MODEL if not (folder / INDEX).exists() and (folder / MODEL).is_dir() else folder


def load_model(path: str | Path) -> "TextClassifier":
    """Load the bundle or the export in ``path``, or the bundle of the run there.

    Raises:
        BundleError: there is none, it is damaged, or a newer tagline wrote it.

    """
    from tagline.classifier import TextClassifier

    return TextClassifier.load(model_folder(path))


def run_of_model(path: str | Path, fingerprint: str | None) -> RunFolder | None:
    """Return the run of a model, named by the folder of its bundle or run; None if the run is not there.

    ``fingerprint``: of the data that the model was trained on, by which the run is verified.
    """
    folder = Path(path).resolve()
    if (folder / INDEX).exists():
        folder = folder.parent
    run = RunFolder(folder)
    try:
        found = run.record["dataset"]["fingerprint"]
    except (InputError, KeyError, TypeError):
        return None
    return run if found == fingerprint else None


def run_name(recipe: str, dataset: str, when: datetime) -> str:
    """Name a run ``<time>-<recipe>-<dataset>``, of characters that every file system allows.

    >>> run_name("fast", "my reviews", datetime(2025, 1, 31, 9, 5, 7))
    '20250131-090507-fast-my-reviews'
    """
    parts = (re.sub(r"[^\w.-]+", "-", part).strip("-.")[:60] for part in (recipe, dataset))
    return "-".join([f"{when:%Y%m%d-%H%M%S}", *(part for part in parts if part)])


@contextmanager
def reserved(parent: Path, name: str) -> Iterator[Path]:
    """Make and yield the empty folder ``parent/name``, numbered if the name is taken; an exception removes it.

    Two runs may end in the same second: only one of them can make a folder.
    """
    made = make_parents(parent)
    number, path = 1, parent / name
    while True:
        try:
            path.mkdir()
            break
        except FileExistsError:
            number += 1
            path = parent / f"{name}-{number}"
    try:
        yield path
    except BaseException:
        for folder in (path, *made):
            with suppress(OSError):  # not empty
                folder.rmdir()
        raise


def building(target: Path) -> AbstractContextManager[Path]:
    """Yield an empty folder that becomes the run ``target`` at the end; an older run there is replaced."""
    return replace_folder(target, _check_replaceable)


def check_target(target: Path) -> None:
    """Raise `InputError` if a run cannot be written to ``target``: before an hour of training, not after."""
    recover(target)
    here = Path.cwd()
    if target.resolve() in (here, *here.parents):
        raise InputError(f"`--out {target}` is the current folder or one above it: name a folder of its own.")
    if target.exists() and not target.is_dir():
        raise InputError(f"`{target}` is a file: `--out` names the folder of the run.")
    if target.is_dir():
        _check_replaceable(target)
    check_parent(target)


def announce_replacement(target: Path, log: Callable[[str], None]) -> None:
    """Log that there is a run at ``target``, which a new one will replace."""
    if (target / RUN).is_file():
        log(f"{target} holds a run; the new one replaces it when it is complete")


def check_parent(target: Path) -> None:
    """Raise `InputError` if no folder can be made at ``target``."""
    above = target.absolute().parent
    while not above.exists():
        above = above.parent
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        raise InputError(f"`{target}` cannot be made: `{above}` is not writable.")


def _check_replaceable(target: Path) -> None:
    """Raise `InputError` unless a folder is empty, or a run and nothing else: everything in it will be deleted."""
    names = {path.name for path in target.iterdir()}
    if not names:
        return
    record = _read_object_or_empty(target / RUN)
    if record.get("format") != FORMAT or not record.keys() >= _KEYS:
        raise InputError(
            f"`{target}` is not empty and is not a run with a valid `{RUN}`: choose another folder with `--out`."
        )
    plots = {f"{PLOTS}/{path.name}" for path in _children(target / PLOTS) if path.suffix not in (".svg", ".png")}
    parts = _read_object_or_empty(target / MODEL / INDEX).get("parts", {})
    model = {f"{MODEL}/{path.name}" for path in _children(target / MODEL) if path.name not in (INDEX, *parts)}
    events = {f"{EVENTS}/{path.name}" for path in _children(target / EVENTS) if ".tfevents." not in path.name}
    foreign = (names - _FILES - {PLOTS, MODEL, EVENTS}) | plots | model | events
    if foreign:
        raise InputError(
            f"`{target / min(foreign)}` is not part of a run and would be lost: choose another folder with `--out`."
        )


def _read_object_or_empty(path: Path) -> Json:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _children(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _data_of_old_run(record: Json) -> RunData:
    """Return the data of a run whose ``run.json`` has no ``data``: its options are in the recorded command alone."""
    from tagline.data import BUILT_IN

    about, command = record["dataset"], record["command"]
    options: dict[str, str] = {}
    for word, following in zip(command, [*command[1:], ""], strict=False):
        name, _, value = word.partition("=")
        if name in ("--group", "--test", "--validation", "--folds"):
            options[name.removeprefix("--")] = value or following
    built_in = BUILT_IN.get(about["name"])
    is_built_in = built_in is not None and built_in.origin == about["source"]
    return RunData(
        source=None if "-" in options.values() else about["name"] if is_built_in else str(about["source"]),
        text=tuple(about["facts"]["text_columns"]),
        label=about["facts"]["label_column"],
        group=options.get("group"),
        test=options.get("test"),
        validation=options.get("validation"),
        folds=int(options["folds"]) if "folds" in options else None,
    )


def _old_run_keeps_texts(run: RunFolder) -> bool:
    """Return whether a run shows texts whose ``run.json`` has no ``texts``."""
    if "--no-texts" in run.record.get("command", []):
        return False
    with suppress(InputError):
        return bool(run.mistakes) or run.metrics["test"]["accuracy"] == 1
    return False
