"""Predictions written as parts: together what one file would be, whenever the work was stopped."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tagline.classifier import TextClassifier
from tagline.data import Batch
from tagline.errors import DataError, InputError
from tagline.runs.predicting.parts import MANIFEST, predict_parts
from tagline.runs.predicting.predict import FileOptions, FileSummary, PredictedFile, predict_file
from tagline.runs.predicting.prediction_row import CommandOptions
from tagline.storage.locks import lock

TEXTS = [f"{'a fine film' if i % 3 else 'a dull bore'} number {i}" for i in range(95)]


@pytest.fixture(scope="module")
def clf() -> TextClassifier:
    rows = [(text, "pos" if "fine" in text else "neg") for text in TEXTS]
    return TextClassifier("naive-bayes").fit(*map(list, zip(*rows, strict=True)))


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tagline.runs.predicting.predict.BATCH_ROWS", 7)
    path = tmp_path / "new.csv"
    pl.DataFrame({"id": range(95), "text": [*TEXTS[:50], "", *TEXTS[51:]]}).write_csv(path)
    return path


Predict = Callable[..., FileSummary]


@pytest.fixture
def predict(clf: TextClassifier, source: Path, tmp_path: Path) -> Predict:
    def call(folder: str = "parts", kind: str | None = None, **changes: Any) -> FileSummary:
        given = {"model": "sum", "part_rows": 10} | changes
        options = given.pop("options", CommandOptions())
        of_file = given.pop("file_options", FileOptions(kind))
        return predict_parts(clf, given.pop("source", source), tmp_path / folder, options, of_file, **given)

    return call


def parts_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def manifest_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    return content


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_parts_are_together_what_one_file_would_be(
    kind: str, clf: TextClassifier, source: Path, predict: Predict, tmp_path: Path
) -> None:
    whole = tmp_path / f"whole.{kind}"
    of_file = predict_file(clf, source, whole)
    of_parts = predict(kind=kind)
    assert of_parts == of_file
    read = {"csv": pl.read_csv, "jsonl": pl.read_ndjson, "parquet": pl.read_parquet}[kind]
    parts = sorted((tmp_path / "parts").glob(f"part-*.{kind}"))
    frames = [read(path) for path in parts]
    assert [frame.height for frame in frames] == [10] * 9 + [5]
    assert pl.concat(frames, how="vertical_relaxed").equals(read(whole))
    content = manifest_of(tmp_path / "parts")
    assert (content["complete"], content["rows"]) == (True, 95)
    assert [part["file"] for part in content["parts"]] == [path.name for path in parts]
    assert [part["empty"] for part in content["parts"]] == [0] * 5 + [1] + [0] * 4


@pytest.mark.parametrize("n_batches", range(1, 20))
def test_a_prediction_goes_on_where_it_was_stopped(
    n_batches: int, predict: Predict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = predict("undisturbed")
    original, calls = PredictedFile.predicted, [0]

    def stopping(self: PredictedFile, batch: Batch, added: pl.DataFrame) -> pl.DataFrame:
        calls[0] += 1
        if calls[0] > n_batches:
            raise KeyboardInterrupt
        return original(self, batch, added)

    with monkeypatch.context() as patch:
        patch.setattr(PredictedFile, "predicted", stopping)
        with pytest.raises(KeyboardInterrupt):
            predict()
    stopped = manifest_of(tmp_path / "parts")
    assert not stopped["complete"]
    assert {*parts_of(tmp_path / "parts")} == {MANIFEST, *(part["file"] for part in stopped["parts"])}
    seen: list[tuple[int, float | None]] = []
    assert predict(on_rows=lambda rows, share: seen.append((rows, share))) == whole
    assert parts_of(tmp_path / "parts") == parts_of(tmp_path / "undisturbed")
    assert seen[-1] == (95, 1.0)


def test_a_second_call_reads_nothing(
    source: Path, predict: Predict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = predict()
    before = parts_of(tmp_path / "parts")
    monkeypatch.setattr(PredictedFile, "batches", None)
    assert predict() == first
    assert parts_of(tmp_path / "parts") == before


def test_other_predictions_are_refused(source: Path, predict: Predict, tmp_path: Path) -> None:
    predict()
    for changes, named in (
        ({"model": "other"}, "model"),
        ({"part_rows": 11}, "part rows"),
        ({"options": CommandOptions(top_k=1)}, "options"),
        ({"kind": "jsonl"}, "file options"),
        ({"source": Path("other.csv")}, "source and size and time"),
    ):
        with pytest.raises(InputError, match=f"`{tmp_path / 'parts'}` holds predictions with another {named}"):
            predict(**changes)
    source.write_text("text\nanother\n")
    with pytest.raises(InputError, match="another size and time"):
        predict()


def test_a_changed_text_is_found_although_the_file_looks_the_same(
    source: Path, predict: Predict, tmp_path: Path
) -> None:
    predict()
    content = manifest_of(tmp_path / "parts")
    content |= {"complete": False, "parts": content["parts"][:3]}
    (tmp_path / "parts" / MANIFEST).write_text(json.dumps(content))
    before = source.stat()
    source.write_text(source.read_text().replace("number 4\n", "NUMBER 4\n"))
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(DataError, match="The input has changed since"):
        predict()


def test_a_shorter_input_is_found(source: Path, predict: Predict, tmp_path: Path) -> None:
    predict()
    lines = source.read_text().splitlines(keepends=True)
    source.write_text("".join(lines[:31]))
    content = manifest_of(tmp_path / "parts") | {"complete": False}
    content["request"]["size_and_time"] = [source.stat().st_size, source.stat().st_mtime_ns]
    (tmp_path / "parts" / MANIFEST).write_text(json.dumps(content))
    with pytest.raises(DataError, match="The input has changed since"):
        predict()


def test_what_was_stopped_before_the_first_part_may_begin_anew(predict: Predict, tmp_path: Path) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict(on_columns=stop)
    assert manifest_of(tmp_path / "parts")["parts"] == []
    predict(part_rows=50)
    assert [part["rows"] for part in manifest_of(tmp_path / "parts")["parts"]] == [50, 45]


def test_a_part_that_is_missing_or_changed_is_named(predict: Predict, tmp_path: Path) -> None:
    predict()
    part = tmp_path / "parts" / "part-00003.csv"
    part.write_bytes(part.read_bytes()[:-1])
    with pytest.raises(InputError, match=r"part-00003.csv` is missing or has changed"):
        predict()
    part.unlink()
    with pytest.raises(InputError, match=r"part-00003.csv` is missing or has changed"):
        predict()


def test_a_part_that_is_removed_meanwhile_is_named(predict: Predict, tmp_path: Path) -> None:
    def remove(rows: int, _: object) -> None:
        if rows == 50:
            (tmp_path / "parts" / "part-00001.csv").unlink()

    with pytest.raises(InputError, match=r"part-00001.csv` is missing"):
        predict(on_rows=remove)
    assert not manifest_of(tmp_path / "parts")["complete"]


def test_folders_of_something_else_are_refused(predict: Predict, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match=f"is not empty and has no `{MANIFEST}`"):
        predict("full")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / MANIFEST).write_text('{"format": 1')
    with pytest.raises(InputError, match="cannot be read"):
        predict("damaged")
    with pytest.raises(InputError, match="cannot be written: not a directory"):
        predict("full/mine.txt/parts")
    with pytest.raises(InputError, match="Standard input cannot be read a second time"):
        predict(source="-")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine.txt"]


def test_an_input_that_cannot_be_read_leaves_nothing(predict: Predict, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder in ("parts", "empty"):
        with pytest.raises(InputError, match="is a folder"):
            predict(folder, source=tmp_path)
        with pytest.raises(InputError, match="no column `body`"):
            predict(folder, file_options=FileOptions(text=("body",)))
    assert not (tmp_path / "parts").exists()
    assert not [*(tmp_path / "empty").iterdir()]
    assert predict("empty").rows == 95


@pytest.mark.skipif(os.name != "posix", reason="no locks")
def test_two_processes_do_not_share_a_folder(predict: Predict, tmp_path: Path) -> None:
    predict()
    with lock(tmp_path / "parts"), pytest.raises(InputError, match="is in use: another process predicts into it"):
        predict()


def test_rows_that_cannot_be_read_are_listed(clf: TextClassifier, predict: Predict, tmp_path: Path) -> None:
    path = tmp_path / "new.jsonl"
    lines = [json.dumps({"text": text}) for text in TEXTS]
    path.write_text("\n".join([*lines[:20], "{broken", *lines[20:]]))
    done = predict(source=path, file_options=FileOptions("jsonl"))
    assert (done.rows, len(done.rejected)) == (96, 1)
    assert pl.read_csv(tmp_path / "parts" / "rejected.csv")["line"].to_list() == [21]
    strict = FileOptions("jsonl", strict=True)
    message = r"`.*new\.jsonl`: line 21 cannot be read \(strict reading allows none\): "
    with pytest.raises(DataError, match=message):
        predict("strict", source=path, file_options=strict)
    with pytest.raises(DataError, match=message):
        predict_file(clf, path, tmp_path / "strict.jsonl", CommandOptions(), strict)
    assert not (tmp_path / "strict.jsonl").exists()
