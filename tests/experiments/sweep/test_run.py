"""Sweeps: what they find, write and refuse. Each starts processes, so that many tests look at one."""

import json
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tagline import InputError, TextClassifier, load_dataset
from tagline.experiments import Sweep, SweepSettings, resume_sweep, run_sweep
from tagline.experiments.shared_data import read_shared_data, save_shared_data
from tagline.experiments.sweep.progress import Progress
from tagline.experiments.sweep.trial import nested_rows
from tagline.experiments.sweep.trial_store import read_outcomes
from tagline.runs.listing import list_runs
from tagline.runs.settings import TrainSettings
from tagline.runs.train import train_run
from tests.synthetic_texts import made_up

pytestmark = pytest.mark.slow

SETTINGS = SweepSettings(
    recipes=("naive-bayes",),
    grid=("model.alpha=0.01,1", "features.min_df=1,100000"),
    seed=3,
    seeds=2,
    processes=1,
)


def write(path: Path, n: int, seed: int = 0, labels: list[str] | None = None) -> Path:
    texts, own = made_up(n, seed=seed, noise=0.2)
    pl.DataFrame({"text": texts, "label": labels or own}).write_csv(path)
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write(folder / "test.csv", 40, seed=1)
    return write(folder / "train.csv", 300)


@pytest.fixture(scope="module")
def seen() -> list[Progress]:
    return []


@pytest.fixture(scope="module")
def sweep(data: Path, seen: list[Progress], tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    settings = SweepSettings(**{**vars(SETTINGS), "test": str(data.with_name("test.csv"))})
    out = tmp_path_factory.mktemp("sweeps") / "sweep"
    return run_sweep(data, settings, out=out, command=["tagline", "sweep"], progress=seen.append)


def test_every_combination_was_tried_with_every_seed(sweep: Sweep) -> None:
    rows = pl.read_csv(sweep.folder / "trials.csv")
    assert rows.select("model.alpha", "features.min_df", "seed").n_unique() == len(rows) == 8
    assert set(rows["seed"]) == {3, 4}
    assert rows["trial"].to_list() == list(range(8))


def test_a_failing_trial_is_recorded_and_the_others_go_on(sweep: Sweep) -> None:
    rows = pl.read_csv(sweep.folder / "trials.csv")
    assert rows.filter(pl.col("status") == "failed")["features.min_df"].to_list() == [100_000] * 4
    assert rows.filter(pl.col("status") == "failed")["error"].str.contains("There is nothing to learn from").all()
    assert rows.filter(pl.col("status") == "done")["accuracy"].is_not_null().all()
    assert (sweep.results.n_trials, sweep.results.n_failed) == (8, 4)
    page = sweep.report.read_text()
    assert "There is nothing to learn from" in page
    assert "4 of 8 trials failed" in page


def test_a_trial_is_judged_as_training_judges_itself(sweep: Sweep, data: Path, tmp_path: Path) -> None:
    """The same recipe, seed and rows: the validation figures of `tagline train`."""
    rows = pl.read_csv(sweep.folder / "trials.csv").filter((pl.col("status") == "done") & (pl.col("seed") == 3))
    assert len(rows) == 2
    for row in rows.to_dicts():
        changes = tuple(f"{key}={row[key]}" for key in ("model.alpha", "features.min_df"))
        settings = TrainSettings("naive-bayes", changes, seed=3, test=str(data.with_name("test.csv")))
        validation = train_run(data, settings, out=tmp_path / "run").metrics["validation"]
        for name in ("accuracy", "macro_f1", "log_loss"):
            assert row[name] == validation[name]
        assert [row["accuracy_low"], row["accuracy_high"]] == validation["accuracy_ci95"]
        assert sweep.results.judged == validation["n"]


def test_the_bits_kept_are_the_rows_that_were_right(sweep: Sweep) -> None:
    for outcome in read_outcomes(sweep.folder / "trials.sqlite").values():
        if outcome.status == "done":
            assert outcome.right_rows(sweep.results.judged).mean() == outcome.accuracy


def test_the_best_comes_first_and_the_others_are_behind_it(sweep: Sweep) -> None:
    first, second, *failed = sweep.results.combinations
    assert sweep.results.best is first
    assert first.accuracy is not None
    assert second.accuracy is not None
    assert second.behind is not None
    assert second.behind.value == pytest.approx(first.accuracy.value - second.accuracy.value)
    assert [one.accuracy for one in failed] == [None, None]
    assert list(sweep.results.effects) == ["model.alpha"]
    assert f"--set model.alpha={first.settings['model.alpha']}" in sweep.command


def test_what_is_written_is_whole(sweep: Sweep) -> None:
    names = {path.name for path in sweep.folder.iterdir()}
    assert names == {"sweep.json", "trials.sqlite", "trials.csv", "results.json", "report.html", "plots"}
    assert {path.name for path in (sweep.folder / "plots").iterdir()} == {"settings.svg", "settings.png"}
    assert json.loads((sweep.folder / "results.json").read_text()) == json.loads(json.dumps(sweep.results.to_json()))
    page = sweep.report.read_text()
    assert "<script" not in page
    assert 'role="img" aria-label="Mean accuracy of each value' in page
    request = json.loads((sweep.folder / "sweep.json").read_text())
    assert request["dataset"]["rows"]["test"] == 40
    assert request["judged"]["rows"] == sweep.results.judged


def test_progress_counts_to_the_end(sweep: Sweep, seen: list[Progress]) -> None:
    assert [one.done for one in seen] == list(range(1, 9))
    assert seen[-1].seconds_left == 0
    assert seen[-1].failed == 4
    assert seen[-1].words().startswith("8 of 8 trials, best ")


def test_the_list_of_runs_passes_it_over(sweep: Sweep) -> None:
    assert list_runs(sweep.folder.parent) == ([], [])


def test_a_finished_sweep_can_be_neither_resumed_nor_overwritten(sweep: Sweep, data: Path) -> None:
    with pytest.raises(InputError, match="is finished"):
        resume_sweep(sweep.folder)
    with pytest.raises(InputError, match="is not empty"):
        run_sweep(data, SETTINGS, out=sweep.folder)


def stopped(sweep: Sweep, place: Path, done: int) -> Path:
    """Return a copy of a sweep as it was when so many trials had ended."""
    shutil.copytree(sweep.folder, place)
    (place / "work").mkdir()
    with sqlite3.connect(place / "trials.sqlite") as connection:
        connection.execute("DELETE FROM trials WHERE number >= ?", (done,))
    return place


def table(folder: Path) -> list[tuple[object, ...]]:
    with sqlite3.connect(folder / "trials.sqlite") as connection:
        return connection.execute("SELECT * FROM trials ORDER BY number").fetchall()


def test_the_test_rows_have_no_say(sweep: Sweep, data: Path, tmp_path: Path) -> None:
    """The same sweep beside test rows whose labels are all alike."""
    garbled = write(tmp_path / "garbled.csv", 40, seed=2, labels=["c0"] * 40)
    settings = SweepSettings(**{**vars(SETTINGS), "test": str(garbled)})
    other = run_sweep(data, settings, out=tmp_path / "sweep")
    left_out = ("seconds",)
    first, second = (pl.read_csv(one.folder / "trials.csv").drop(left_out) for one in (sweep, other))
    assert first.equals(second)
    right = [[o.right for o in read_outcomes(one.folder / "trials.sqlite").values()] for one in (sweep, other)]
    assert right[0] == right[1]


def test_data_that_has_changed_is_refused(sweep: Sweep, data: Path, tmp_path: Path) -> None:
    place = stopped(sweep, tmp_path / "sweep", 3)
    request = json.loads((place / "sweep.json").read_text())
    changed = tmp_path / "train.csv"
    changed.write_text(data.read_text() + "one more text,c0\n")
    (place / "sweep.json").write_text(json.dumps(request | {"data": str(changed)}))
    before = table(place)
    with pytest.raises(InputError, match="has changed since"):
        resume_sweep(place)
    assert table(place) == before


def test_other_versions_are_refused(sweep: Sweep, tmp_path: Path) -> None:
    place = stopped(sweep, tmp_path / "sweep", 3)
    request = json.loads((place / "sweep.json").read_text())
    request["versions"]["numpy"] = "1.0"
    (place / "sweep.json").write_text(json.dumps(request))
    with pytest.raises(
        InputError, match=r"started with numpy 1\.0, and this is .*, or remove `.*sweep` and start a new sweep\."
    ):
        resume_sweep(place)


def test_an_unfinished_sweep_is_not_started_again(sweep: Sweep, data: Path, tmp_path: Path) -> None:
    place = stopped(sweep, tmp_path / "sweep", 3)
    with pytest.raises(InputError, match="is an unfinished sweep: resume it with `tagline sweep --resume"):
        run_sweep(data, SETTINGS, out=place)


def test_missing_and_damaged_sweeps_raise_input_errors(sweep: Sweep, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not the folder of a sweep"):
        resume_sweep(tmp_path)
    place = stopped(sweep, tmp_path / "sweep", 3)
    (place / "sweep.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        resume_sweep(place)


def test_a_damaged_table_is_one_sentence(sweep: Sweep, tmp_path: Path) -> None:
    copy = tmp_path / "sweep"
    shutil.copytree(sweep.folder, copy)
    (copy / "work").mkdir()
    (copy / "trials.sqlite").write_bytes(b"nothing that a table is " * 100)
    with pytest.raises(InputError, match="cannot be read"):
        resume_sweep(copy)


def test_nothing_is_made_when_the_settings_are_wrong(data: Path, tmp_path: Path) -> None:
    for wrong in (
        {"grid": ("model.alpha=0",)},
        {"sizes": (10, 100_000)},
        {"settings": ("protocol.validation=none",)},
    ):
        settings = SweepSettings(**{**vars(SETTINGS), "grid": (), "test": str(data.with_name("test.csv")), **wrong})
        with pytest.raises(InputError):
            run_sweep(data, settings, out=tmp_path / "sweep")
    assert not (tmp_path / "sweep").exists()


def test_subsets_are_nested_and_keep_the_shares_of_the_classes(data: Path, tmp_path: Path) -> None:
    texts, labels = made_up(400, n_classes=4)
    kept = [k for k, label in enumerate(labels) if label != "c3" or k % 3 == 0]
    rows = [(texts[k], labels[k]) for k in kept]
    save_shared_data(tmp_path, load_dataset(rows), None)
    shared = read_shared_data(tmp_path)
    pool = np.flatnonzero(np.arange(len(shared.texts)) % 5 > 0)
    share = shared.Y[pool].mean(axis=0)
    inner: set[int] = set()
    for size in (20, 50, 111, len(pool)):
        taken = nested_rows(shared, pool, size, seed=7)
        assert len(set(taken.tolist())) == size
        assert inner <= set(taken.tolist()) <= set(pool.tolist())
        assert np.abs(shared.Y[taken].sum(axis=0) - share * size).max() <= 1.01
        inner = set(taken.tolist())
    assert set(nested_rows(shared, pool, 50, seed=8).tolist()) != set(nested_rows(shared, pool, 50, seed=7).tolist())


@pytest.fixture(scope="module")
def curve(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    out = tmp_path_factory.mktemp("curves") / "curve"
    return run_sweep(data, SweepSettings(sizes=(30, 240, 120), seeds=2, processes=1), out=out)


def test_a_curve_is_a_training_on_so_many_rows(curve: Sweep, data: Path, tmp_path: Path) -> None:
    """Each point is what `TextClassifier` does when it is given these rows alone: vocabulary, settings and all."""
    (found,) = curve.results.curves.values()
    assert list(found.accuracy) == [30, 120, 240]
    dataset = load_dataset(data)
    assert dataset.validation is not None
    save_shared_data(tmp_path, dataset, None)
    shared, pool = read_shared_data(tmp_path), np.arange(len(dataset.train))
    for size, accuracies in found.of_seeds.items():
        for seed, accuracy in enumerate(accuracies):
            rows = nested_rows(shared, pool, size, seed)
            clf = TextClassifier("fast", seed=seed).fit(dataset.train.texts[rows], dataset.train.labels[rows])
            assert clf.score(dataset.validation.texts, dataset.validation.labels) == accuracy


def test_a_learning_curve_is_plotted_and_described(curve: Sweep) -> None:
    assert (curve.folder / "plots" / "learning_curve.svg").exists()
    assert "With fewer than four sizes nothing can be extrapolated" in curve.report.read_text()
    assert pl.read_csv(curve.folder / "trials.csv")["learnt_from"].to_list() == [240, 120, 30] * 2


def test_a_network_is_judged_as_training_judges_it(data: Path, tmp_path: Path) -> None:
    """The same weights, batches and rows beside other trials, with encodings that they share."""
    small = ("features.num_words=200", "training.epochs=3", "training.batch_size=32")
    settings = SweepSettings(("multihot-dense",), small, ("model.units=4,8",), seed=5, processes=2)
    found = run_sweep(data, settings, out=tmp_path / "sweep").results
    for one in found.combinations:
        changes = (*small, f"model.units={one.settings['model.units']}")
        run = train_run(data, TrainSettings("multihot-dense", changes, seed=5), out=tmp_path / "run")
        assert one.of_seeds == [run.metrics["validation"]["accuracy"]]
        assert one.log_loss == pytest.approx(run.metrics["validation"]["log_loss"], abs=1e-6)


def test_rows_in_turn_and_given_ones_are_counted_together(tmp_path: Path) -> None:
    """Few rows, of which some are set aside as validation rows: all of them judge, each once."""
    data = write(tmp_path / "all.csv", 250)
    settings = SweepSettings(recipes=("naive-bayes",), grid=("model.alpha=0.01,1",), processes=1)
    swept = run_sweep(data, settings, out=tmp_path / "sweep")
    dataset = load_dataset(data)
    assert dataset.validation is not None
    assert swept.results.judged == len(dataset.train) + len(dataset.validation)
    said = {row["model.alpha"]: row["accuracy"] for row in pl.read_csv(swept.folder / "trials.csv").to_dicts()}
    for one in swept.results.combinations:
        assert one.accuracy is not None
        assert one.accuracy.value == pytest.approx(said[float(one.settings["model.alpha"])])
