"""Runs in the stores of MLflow (SQLite) and TensorBoard (event files), read back by their own readers."""

import json
import shutil
import warnings
from pathlib import Path

import polars as pl
import pytest

from tagline import InputError
from tagline.cli import main
from tagline.errors import MissingExtraError
from tagline.runs.resume import unfinished_folder
from tagline.runs.settings import TrainSettings
from tagline.runs.tracking import check_trackers, flat_figures, flat_parameters, tracked
from tagline.runs.train import resume_run, train_run
from tests.synthetic_texts import made_up

EPOCHS = 5
SMALL = (
    "features.num_words=200",
    "features.maxlen=12",
    "model.embedding=4",
    "training.batch_size=16",
    f"training.epochs={EPOCHS}",
    "protocol.refit=2",
)
BOTH = ("mlflow", "tensorboard")
PER_EPOCH = {"loss", "accuracy", "val_loss", "val_accuracy", "seconds"}


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Return step and value of every figure in the event files of a folder, as TensorBoard reads them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder)).Reload()
    assert set(events.Tags()["tensors"]) == {"recipe", "_hparams_/session_start_info"}
    return {tag: [(each.step, each.value) for each in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def history(path: Path, name: str) -> list[tuple[int, float]]:
    frame = pl.read_csv(path)
    return list(zip(frame["epoch"].to_list(), frame[name].to_list(), strict=True))


def test_settings_and_figures_are_flat() -> None:
    assert flat_parameters({"a": {"b": 1, "c": {"d": "x"}}, "e": [1, 2], "f": None, "g": False}) == {
        "a.b": 1,
        "a.c.d": "x",
        "e": "[1, 2]",
        "g": False,
    }
    figures = {
        "task": "binary",
        "test": {"accuracy": 0.9, "accuracy_ci95": [0.8, 1], "auc_ci95": None, "per_class": {"a": {"f1": 1.0}}},
        "validation": None,
        "seconds": {"fit": 2},
    }
    assert flat_figures(figures) == {
        "test/accuracy": 0.9,
        "test/accuracy_ci95/low": 0.8,
        "test/accuracy_ci95/high": 1.0,
        "seconds/fit": 2.0,
    }


def test_an_unknown_logger_is_an_error_that_names_the_nearest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", "missing.csv", "--track", "tensorbord"]) == 2
    assert capfd.readouterr().err == (
        "error: `--track tensorbord`: unknown tracker; available are `mlflow`, `tensorboard`. "
        "Did you mean `tensorboard`?\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_an_uninstalled_tracker_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tagline.runs.tracking.tracker.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"Tracking with MLflow .* `pip install 'tagline\[tracking\]'`"):
        check_trackers(["mlflow"])


def test_a_failing_tracker_is_reported_once_and_dropped(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    said: list[str] = []
    with tracked(["tensorboard", "tensorboard"], kept=in_the_way, warn=said.append) as tracking:
        tracking.start("run", {"a": 1})
        tracking.epoch(1, {"loss": 0.5})
        tracking.finish({"test": {"accuracy": 1.0}}, tmp_path)
    assert [words.partition(" (")[0] for words in said] == ["TensorBoard cannot be written to and is no longer used"]


def test_tensorboard_takes_a_run_that_fails_and_one_that_goes_on(tmp_path: Path) -> None:
    said: list[str] = []
    kept, run = tmp_path / "kept", tmp_path / "run"
    kept.mkdir()
    run.mkdir()

    def stopped() -> None:
        with tracked(["tensorboard"], kept=kept, warn=said.append) as tracking:
            tracking.start("run", {"model.kind": "x", "n": 1, "on": True})
            tracking.epoch(1, {"loss": 0.5})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert scalars(kept / "tensorboard") == {"loss": [(1, 0.5)]}
    with tracked(["tensorboard"], kept=kept, warn=said.append) as tracking:
        tracking.start("run", {"model.kind": "x", "n": 1, "on": True})
        tracking.epoch(2, {"loss": 0.25})
        tracking.finish({"test": {"accuracy": 0.75}}, run)
    assert scalars(run / "tensorboard") == {"loss": [(1, 0.5), (2, 0.25)], "test/accuracy": [(0, 0.75)]}
    assert not (kept / "tensorboard").exists()
    assert said == []


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with some reviews, and a sentence in each that no report without texts may hold."""
    folder = tmp_path_factory.mktemp("tracked")
    texts, labels = made_up(160)
    texts = [f"{text} she said to no one but me" for text in texts]
    pl.DataFrame({"text": texts, "label": labels}).write_csv(folder / "reviews.csv")
    return folder


@pytest.fixture(scope="module")
def client(place: Path):
    """The store that the runs of this module go to; its tables take a while to be made, so it is one."""
    uri = f"sqlite:///{place}/mlflow.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", uri)
        patch.chdir(place)  # where MLflow puts the artifacts of a store of its own
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MLflow's own, of SQLAlchemy
            from mlflow.tracking import MlflowClient

            yield MlflowClient(uri)


@pytest.mark.slow
def test_a_run_of_n_grams_is_tracked(client, place: Path, monkeypatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "chosen")
    command = ["train", "reviews.csv", "--recipe", "naive-bayes", "--track", "mlflow", "--track", "tensorboard"]
    assert main([*command, "--out", "runs/plain", "--json"]) == 0
    out, err = capfd.readouterr()
    metrics = json.loads(out)
    assert "warning" not in err
    assert "mlflow" not in err.lower()
    experiment = client.get_experiment_by_name("chosen")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "plain"
    assert run.data.tags["tagline.folder"] == str(place / "runs" / "plain")
    assert run.data.params["recipe"] == "naive-bayes"
    assert run.data.params["data.rows.train"] == str(metrics["rows"]["train"])
    assert run.data.metrics == pytest.approx(flat_figures(metrics))
    assert run.data.metrics["test/accuracy"] == metrics["test"]["accuracy"]
    artifacts = {each.path for each in client.list_artifacts(run.info.run_id)}
    assert artifacts == {"report.html", "metrics.json", "run.json"}
    events = scalars(place / "runs" / "plain" / "tensorboard")
    assert {tag: value for tag, [(_, value)] in events.items()} == pytest.approx(flat_figures(metrics), rel=1e-6)
    assert main([*command[:4], "--track", "tensorboard", "--out", "runs/told", "--quiet"]) == 0
    assert "Logged: tensorboard --logdir runs/told/tensorboard" in capfd.readouterr().out
    # The event files are part of the run: a file of the user among them prevents replacement, the run alone does not.
    again = ["train", "reviews.csv", "--recipe", "naive-bayes", "--out", "runs/plain", "--quiet"]
    (place / "runs" / "plain" / "tensorboard" / "notes.txt").write_text("mine")
    assert main(again) == 2
    (place / "runs" / "plain" / "tensorboard" / "notes.txt").unlink()
    assert main(again) == 0
    assert not (place / "runs" / "plain" / "tensorboard").exists()


@pytest.mark.slow
def test_a_stopped_training_stays_one_run(client, place: Path, tmp_path: Path) -> None:
    settings = TrainSettings(recipe="embedding-average", settings=SMALL, texts=False, track=BOTH)
    target = place / "network"
    said: list[str] = []

    def stop(seen) -> None:
        if seen.epoch == 3 and seen.epoch_ended:  # people hear of an epoch before it is logged and kept
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_run(place / "reviews.csv", settings, out=target, progress=stop, warn=said.append)
    experiment = client.get_experiment_by_name("reviews").experiment_id
    (run,) = client.search_runs([experiment])
    assert run.info.status == "KILLED"
    assert scalars(unfinished_folder(target) / "tensorboard").keys() == PER_EPOCH

    done = resume_run(target, warn=said.append)
    assert said == []
    (run,) = client.search_runs([experiment])
    assert run.info.status == "FINISHED"
    events = scalars(target / "tensorboard")
    for name in PER_EPOCH - {"seconds"}:
        wanted = history(target / "history.csv", name)
        assert [step for step, _ in wanted] == list(range(1, EPOCHS + 1))
        assert [(p.step, p.value) for p in client.get_metric_history(run.info.run_id, name)] == wanted
        assert [step for step, _ in events[name]] == list(range(1, EPOCHS + 1))
        assert dict(events[name]) == pytest.approx(dict(wanted))
    assert dict(events["refit/loss"]) == pytest.approx(dict(history(target / "refit_history.csv", "loss")))
    assert run.data.metrics["test/accuracy"] == done.metrics["test"]["accuracy"]
    assert run.data.params["training.epochs"] == str(EPOCHS)

    copied = Path(client.download_artifacts(run.info.run_id, "", str(tmp_path)))
    assert {path.name for path in copied.iterdir()} >= {"report.html", "history.csv", "refit_history.csv"}
    assert not [p for p in [*copied.iterdir(), *(target / "tensorboard").iterdir()] if b"no one but" in p.read_bytes()]


@pytest.mark.slow
def test_a_run_that_fails_is_failed(client, place: Path) -> None:
    settings = TrainSettings(
        recipe="embedding-average", settings=(*SMALL, "training.learning_rate=1e30"), track=("mlflow",)
    )
    with pytest.raises(InputError):
        train_run(place / "reviews.csv", settings, out=place / "broken")
    runs = client.search_runs([client.get_experiment_by_name("reviews").experiment_id], "attributes.status='FAILED'")
    assert [run.info.run_name for run in runs] == ["broken"]


@pytest.mark.slow
def test_a_store_that_cannot_be_written_loses_no_training(
    client, place: Path, monkeypatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////proc/no/such/folder.db")
    command = ["train", "reviews.csv", "--recipe", "naive-bayes", "--track", "mlflow", "--out", "untracked"]
    assert main(command) == 0
    err = capfd.readouterr().err
    (warning,) = [line for line in err.splitlines() if "warning" in line]
    assert warning.startswith("warning: MLflow cannot be written to and is no longer used (")
    assert json.loads((place / "untracked" / "metrics.json").read_bytes())["test"]["accuracy"] > 0
    shutil.rmtree(place / "untracked")
