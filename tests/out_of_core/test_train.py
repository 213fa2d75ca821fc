"""Runs of `--memory`, as users start them."""

import filecmp
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tagline import InputError, TextClassifier
from tagline.cli import main
from tagline.engines import LOCAL
from tagline.out_of_core import budget
from tagline.run_folder import RunFolder
from tagline.runs.resume import find_unfinished, unfinished_folder
from tagline.runs.settings import StepProgress, TrainSettings
from tagline.runs.train import resume_run, train_run
from tests.synthetic_texts import made_up, several

pytestmark = pytest.mark.slow

SETTINGS = TrainSettings(memory="500MB")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of 7 MB of text, more than 500 MB allow to train on in memory."""
    texts, labels = made_up(12_000, 3)
    texts = [f"{text} {'filler words of no class ' * 22}" for text in texts]
    path = tmp_path_factory.mktemp("data") / "large.jsonl"
    pl.DataFrame({"text": texts, "label": labels}).write_ndjson(path)
    return path


@pytest.fixture(scope="module")
def run(large: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = tmp_path_factory.mktemp("runs") / "large"
    train_run(large, SETTINGS, out=folder)
    return RunFolder(folder)


def test_it_is_a_run_as_any_other(run: RunFolder, large: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert run.metrics["rows"]["train"] > 9_000
    assert run.metrics["test"]["accuracy"] > 0.88
    assert run.record["chosen"]["learnt_from"] == run.metrics["rows"]["train"]
    assert sum(run.record["dataset"]["facts"]["class_counts"]["train"].values()) == run.metrics["rows"]["train"]
    assert not unfinished_folder(run.path).exists()
    clf = TextClassifier.load(run.path)
    assert clf.predict(["a good lovely film", "budget market shares"]).tolist() == ["c0", "c2"]
    for command in (
        ["predict", str(run.path), "--input", str(large), "--output", str(tmp_path / "predicted.csv")],
        ["evaluate", str(run.path), str(large), "--out", str(tmp_path / "evaluation")],
        ["report", str(run.path)],
        ["explain", str(run.path), "a good lovely film"],
        ["export", str(run.path), "--format", "onnx", "--out", str(tmp_path / "export")],
    ):
        assert main(command) == 0, capsys.readouterr().err


def test_accuracy_is_that_of_memory(run: RunFolder, large: Path, tmp_path: Path) -> None:
    rows = pl.read_ndjson(large)
    test = run.predictions
    lines = test["line"].to_numpy() - 1
    train = rows.with_row_index().filter(~pl.col("index").is_in(lines)).drop("index")
    in_memory = TextClassifier("fast").fit(train["text"], train["label"])
    accuracy = in_memory.score(rows["text"][lines], rows["label"][lines])
    assert abs(accuracy - run.metrics["test"]["accuracy"]) < 0.01


class StoppedError(Exception):
    """The interruption of a training in these tests."""


@pytest.mark.parametrize("stage", ["encoding", "weighing", "training, pass 2"])
def test_a_stopped_run_resumes_to_the_same_bytes(run: RunFolder, large: Path, tmp_path: Path, stage: str) -> None:
    def stop(seen: StepProgress) -> None:
        if seen.stage.startswith(stage):
            raise StoppedError

    with pytest.raises(StoppedError):
        train_run(large, SETTINGS, out=tmp_path / "run", progress=stop)
    assert find_unfinished(tmp_path) == [(tmp_path / "run", False)]
    resumed = resume_run(tmp_path / "run")
    for path in run.model.iterdir():
        assert filecmp.cmp(path, resumed.model / path.name, shallow=False), path.name
    assert RunFolder(resumed.folder).predictions.equals(run.predictions)
    assert not find_unfinished(tmp_path)


def test_a_changed_file_is_refused(large: Path, tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(large.read_bytes())

    def stop(seen: StepProgress) -> None:
        if seen.stage.startswith("encoding"):
            raise StoppedError

    with pytest.raises(StoppedError):
        train_run(path, SETTINGS, out=tmp_path / "run", progress=stop)
    path.write_bytes(large.read_bytes() + b'{"text": "one more", "label": "c0"}\n')
    with pytest.raises(InputError, match="has changed since"):
        resume_run(tmp_path / "run")


@pytest.mark.usefixtures("_nothing_fits")
def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    texts, labels = made_up(3_000, 2)
    path = tmp_path / "data.csv"
    pl.DataFrame({"text": texts, "label": labels}).write_csv(path)

    def change(seen: StepProgress) -> None:
        if seen.stage.startswith("reading"):
            path.write_bytes(path.read_bytes() + b"one more,c0\n")

    with pytest.raises(InputError, match="has changed while it was read"):
        train_run(path, SETTINGS, out=tmp_path / "run", progress=change)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.usefixtures("_nothing_fits")
def test_a_url_is_kept_without_its_password_and_the_run_resumes(tmp_path: Path) -> None:
    texts, labels = made_up(3_000, 2)
    content = pl.DataFrame({"text": texts, "label": labels}).write_csv().encode()

    def stop(seen: StepProgress) -> None:
        if seen.stage.startswith("encoding"):
            raise StoppedError

    with served({"/data.csv": content}) as address:
        url = address.replace("://", "://user:secret@") + "/data.csv?signature=secret"
        with pytest.raises(StoppedError):
            train_run(url, SETTINGS, out=tmp_path / "run", progress=stop)
    kept = [path.read_bytes() for path in unfinished_folder(tmp_path / "run").rglob("*") if path.is_file()]
    assert kept
    assert not any(b"secret" in content for content in kept)
    run = resume_run(tmp_path / "run")
    assert run.dataset.source == f"{address}/data.csv"
    assert b"secret" not in (run.folder / "run.json").read_bytes()


@pytest.mark.usefixtures("_nothing_fits")
def test_validation_rows_of_other_classes_are_refused(tmp_path: Path) -> None:
    texts, labels = made_up(3_000, 2)
    pl.DataFrame({"text": texts, "label": labels}).write_csv(tmp_path / "train.csv")
    pl.DataFrame({"text": texts[:9], "label": "another"}).write_csv(tmp_path / "validation.csv")
    settings = TrainSettings(memory="500MB", validation=str(tmp_path / "validation.csv"))
    with pytest.raises(InputError, match="No validation row has a label of the train rows"):
        train_run(tmp_path / "train.csv", settings, out=tmp_path / "run")


def test_a_run_on_shards_is_a_run_as_any_other_and_resumes_on_shards_only(tmp_path: Path) -> None:
    texts, labels = several(3_000)
    rows = pl.DataFrame({"text": texts, "label": ["|".join(names) for names in labels]})
    rows.with_columns(trust=pl.Series([2.0, 1.0, 0.0] * 1_000)).write_csv(tmp_path / "rows.csv")
    settings = TrainSettings(label_separator="|", weight="trust", balance=True)
    elsewhere = type(LOCAL)()  # another engine than that of this machine, with shards in a folder

    def stop(seen: StepProgress) -> None:
        if seen.stage == "training, round 5":
            raise StoppedError

    with pytest.raises(StoppedError):
        train_run(tmp_path / "rows.csv", settings, out=tmp_path / "run", engine=elsewhere, progress=stop)
    with pytest.raises(InputError, match="was started on a cluster: add `--engine ray`"):
        resume_run(tmp_path / "run")
    run = resume_run(tmp_path / "run", engine=elsewhere)
    assert run.metrics["task"] == "multilabel"
    assert run.metrics["test"]["micro_f1"] > 0.9
    chosen = RunFolder(run.folder).record["chosen"]
    assert chosen["shards"] == 16
    assert chosen["learnt_from"] == pytest.approx(run.metrics["rows"]["train"] * 2 / 3, rel=0.1)
    assert not find_unfinished(tmp_path)


def test_more_memory_than_needed_changes_nothing(large: Path, tmp_path: Path) -> None:
    rows = pl.read_ndjson(large).head(900)
    path = tmp_path / "small.csv"
    rows.write_csv(path)
    limited = train_run(path, TrainSettings(memory="8GB"), out=tmp_path / "limited")
    usual = train_run(path, TrainSettings(), out=tmp_path / "usual")
    for path in usual.model.iterdir():
        assert filecmp.cmp(path, limited.model / path.name, shallow=False), path.name


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--memory", "100MB"], "The smallest that works is `500MB`"),
        (["--memory", "much"], "use a number and a unit"),
        (["--memory", f"{'9' * 400}GB"], "use a number and a unit"),
        (["--memory", f"{'9' * 15}TB", "--label", "nothing"], "nothing"),
        (["--memory", "500MB", "--recipe", "logistic-regression"], "trained in memory only"),
        (["--memory", "500MB", "--folds", "3"], "`--folds` needs all rows in memory"),
        (["--memory", "500MB", "--label", "nothing"], "nothing"),
    ],
)
def test_what_cannot_be_trained_is_one_line(
    large: Path, tmp_path: Path, capsys: pytest.CaptureFixture, arguments: list[str], message: str
) -> None:
    assert main(["train", str(large), *arguments, "--out", str(tmp_path / "run")]) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error")]
    assert message in line
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"recipe": "lstm"}, "^`lstm` is trained on one machine only. Use `fast` or `linear-svm`, or leave out `--eng"),
        (
            {"settings": ("features.characters=[1, 4]",)},
            "which are counted on one machine only: leave out `feat",
        ),
        (
            {"settings": ("model.blend=0.5",)},
            "which is learned on one machine only: leave it out, or leave out",
        ),
        ({"folds": 3}, "^`--folds` needs all rows in memory: leave out `--engine`.$"),
        ({"memory": "100MB"}, "The smallest that works is `500MB`"),
    ],
)
def test_what_cannot_be_trained_on_shards_is_refused_before_it_is_read(
    tmp_path: Path, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        train_run(tmp_path / "missing.csv", TrainSettings(**given), out=tmp_path / "run", engine=type(LOCAL)())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("data", "message"), [("movie-snippets", "give a file"), ("-", "give a file"), ("missing.csv", "does not exist")]
)
def test_data_that_is_not_read_part_by_part_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture, data: str, message: str
) -> None:
    assert main(["train", data, "--memory", "1GB", "--out", str(tmp_path / "run")]) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error")]
    assert message in line
    assert not list(tmp_path.iterdir())


@contextmanager
def served(files: dict[str, bytes]) -> Iterator[str]:
    """Yield the address of a web server with these files."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = files[self.path.partition("?")[0]]
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()


def test_a_pipe_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    assert main(["train", str(tmp_path / "pipe.csv"), "--memory", "1GB", "--out", str(tmp_path / "run")]) == 2
    assert "give a file" in capsys.readouterr().err


@pytest.fixture
def _nothing_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make small data too large for any memory."""
    monkeypatch.setattr(budget, "_IN_MEMORY", 10**9)


@pytest.mark.usefixtures("_nothing_fits")
def test_sets_of_labels_with_weights_and_groups(tmp_path: Path) -> None:
    texts, labels = several(3_000)
    rows = pl.DataFrame({"text": texts, "label": ["|".join(names) for names in labels]})
    rows = rows.with_columns(
        trust=pl.Series([2.0, 1.0, 0.0] * 1_000), author=pl.Series([k % 500 for k in range(3_000)])
    )
    rows.write_csv(tmp_path / "rows.csv")
    settings = TrainSettings(memory="500MB", weight="trust", group="author", label_separator="|", balance=True)
    run = train_run(tmp_path / "rows.csv", settings, out=tmp_path / "run")
    assert run.metrics["task"] == "multilabel"
    assert run.metrics["test"]["micro_f1"] > 0.9
    learned = TextClassifier.load(run.folder).chosen_["learnt_from"]
    assert learned == pytest.approx(run.metrics["rows"]["train"] * 2 / 3, rel=0.1)


@pytest.mark.usefixtures("_nothing_fits")
def test_files_of_validation_and_test_rows_are_used(tmp_path: Path) -> None:
    texts, labels = made_up(3_000, 2)
    rows = pl.DataFrame({"text": texts, "label": labels})
    parts = {"train": rows[:2_200], "validation": rows[2_200:2_500], "test": rows[2_500:]}
    for name, part in parts.items():
        part.write_csv(tmp_path / f"{name}.csv")
    files = {name: str(tmp_path / f"{name}.csv") for name in ("validation", "test")}
    run = train_run(tmp_path / "train.csv", TrainSettings(memory="500MB", **files), out=tmp_path / "run")
    assert run.metrics["rows"] == {name: part.height for name, part in parts.items()}
    assert run.metrics["validation"]["how"] == "the validation rows"
    assert run.metrics["test"]["accuracy"] > 0.88
    folder = train_run(tmp_path / "*.csv", TrainSettings(memory="500MB"), out=tmp_path / "glob")
    assert sum(folder.metrics["rows"].values()) == 3_000
    (tmp_path / "folder").mkdir()
    for name, part in parts.items():
        part.write_csv(tmp_path / "folder" / f"{name}.csv")
    named = train_run(tmp_path / "folder", TrainSettings(memory="500MB"), out=tmp_path / "named")
    assert named.metrics["rows"] == run.metrics["rows"]
    assert named.metrics["test"] == run.metrics["test"]
