"""Runs that are stopped while a network is trained, and resumed."""

import csv
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

import tagline
from tagline import InputError
from tagline.cli import main
from tagline.runs.resume import find_unfinished, read_unfinished, unfinished_folder
from tagline.runs.settings import TrainSettings
from tagline.runs.test_ledger import LEDGER
from tagline.runs.tracking.callbacks import TrainingProgress, VectorProgress
from tagline.runs.train import resume_run, train_run
from tests.synthetic_texts import made_up

pytestmark = pytest.mark.slow
SMALL = (
    "features.num_words=200",
    "features.maxlen=12",
    "model.embedding=4",
    "training.batch_size=16",
    "training.epochs=6",
    "protocol.refit=4",
)


RECIPES = Path(tagline.__file__).parent / "recipes"


class StoppedError(Exception):
    """The interruption of a training in these tests."""


def write_data(folder: Path) -> Path:
    texts, labels = made_up(160)
    path = folder / "reviews.csv"
    pl.DataFrame({"text": texts, "label": labels}).write_csv(path)
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_data(tmp_path)


def settings(*more: str, **others) -> TrainSettings:
    return TrainSettings(recipe="embedding-average", settings=(*SMALL, *more), seed=3, **others)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that ``settings()`` give on ``data`` when nothing stops it."""
    folder = tmp_path_factory.mktemp("undisturbed")
    return train_run(write_data(folder), settings(), out=folder / "whole").folder


def stop_after(phase: str, epoch: int):
    def progress(seen) -> None:
        if isinstance(seen, TrainingProgress) and seen.epoch_ended and (seen.phase, seen.epoch) == (phase, epoch):
            raise StoppedError

    return progress


def bundle(run: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((run / "model").iterdir())}


def history(run: Path, name: str) -> list[dict[str, str]]:
    with (run / name).open(newline="") as lines:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(lines)]


@pytest.mark.parametrize(("phase", "epoch"), [("search", 2), ("search", 4), ("search", 6), ("refit", 1), ("refit", 4)])
def test_a_resumed_run_is_the_undisturbed_one(
    data: Path, undisturbed: Path, tmp_path: Path, phase: str, epoch: int
) -> None:
    with pytest.raises(StoppedError):
        train_run(data, settings(), out=tmp_path / "stopped", progress=stop_after(phase, epoch))
    assert not (tmp_path / "stopped").exists()
    assert find_unfinished(tmp_path) == [(tmp_path / "stopped", False)]
    resumed = resume_run(tmp_path / "stopped")
    assert bundle(resumed.folder) == bundle(undisturbed)
    for name in ("history.csv", "refit_history.csv"):
        assert history(resumed.folder, name) == history(undisturbed, name)
    assert find_unfinished(tmp_path) == []
    assert not unfinished_folder(tmp_path / "stopped").exists()


def test_a_resumed_run_does_not_start_over(data: Path, tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        train_run(data, settings(), out=tmp_path / "run", progress=stop_after("search", 4))
    assert not (tmp_path / LEDGER).exists()  # the test rows were not read yet
    seen = []
    resume_run(tmp_path / "run", progress=lambda s: seen.append((s.phase, s.epoch)) if s.epoch_ended else None)
    assert seen[0] == ("search", 4)  # the fourth was stopped in its report, before it was kept
    assert seen[-1] == ("refit", 4)
    assert len((tmp_path / LEDGER).read_text().splitlines()) == 1


def test_folds_are_resumed(data: Path, tmp_path: Path) -> None:
    whole = train_run(data, settings(folds=2), out=tmp_path / "whole")
    calls = []

    def progress(seen) -> None:
        calls.append(seen)
        if seen.epoch_ended and seen.phase == "refit" and seen.epoch == 2 and sum(c.epoch_ended for c in calls) > 12:
            raise StoppedError

    with pytest.raises(StoppedError):
        train_run(data, settings(folds=2), out=tmp_path / "stopped", progress=progress)
    resumed = resume_run(tmp_path / "stopped")
    assert bundle(resumed.folder) == bundle(whole.folder)
    assert resumed.metrics["test"] == whole.metrics["test"]


@pytest.fixture
def more(tmp_path: Path) -> Path:
    path = tmp_path / "more.csv"
    pl.DataFrame({"text": made_up(300, seed=1)[0]}).write_csv(path)
    return path


@pytest.mark.parametrize(("phase", "epoch"), [("search", 3), ("refit", 2)])
def test_a_run_with_vectors_learnt_from_unlabelled_texts_is_resumed(
    data: Path, more: Path, tmp_path: Path, phase: str, epoch: int
) -> None:
    stop, learned = stop_after(phase, epoch), []

    def progress(seen) -> None:
        if isinstance(seen, VectorProgress):
            learned.append(seen)
        else:
            stop(seen)

    requested = settings("model.frozen=true", unlabelled=str(more))
    whole = train_run(data, requested, out=tmp_path / "whole")
    with pytest.raises(StoppedError):
        train_run(data, requested, out=tmp_path / "stopped", progress=progress)
    assert [seen.words() for seen in learned if seen.epoch_ended][-1] == "training word vectors: 100%"
    stop, n_learned = stop_after("none", 0), len(learned)
    resumed = resume_run(tmp_path / "stopped", progress=progress)
    assert len(learned) == n_learned  # they were kept
    assert bundle(resumed.folder) == bundle(whole.folder)
    told = json.loads((resumed.folder / "run.json").read_text())["chosen"]["vectors"]
    assert told == json.loads((whole.folder / "run.json").read_text())["chosen"]["vectors"]
    assert told["learnt_from"]["file"] == "more.csv"
    assert (told["learnt_from"]["unlabelled"], told["size"]) == (300, 4)


def test_other_unlabelled_texts_are_refused(data: Path, more: Path, tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        train_run(data, settings(unlabelled=str(more)), out=tmp_path / "run", progress=stop_after("search", 2))
    more.write_text(more.read_text() + "one more\n")
    with pytest.raises(InputError, match="was learned from other texts"):
        resume_run(tmp_path / "run")


def test_a_file_of_vectors_is_found_from_another_folder(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.txt").write_text("the 1 2 3 4\nfilm 5 6 7 8\n")
    requested = settings("model.vectors=mine.txt")
    monkeypatch.chdir(tmp_path)
    whole = train_run(data, requested, out=tmp_path / "whole")
    with pytest.raises(StoppedError):
        train_run(data, requested, out=tmp_path / "stopped", progress=stop_after("search", 2))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    resumed = resume_run(tmp_path / "stopped")
    assert bundle(resumed.folder) == bundle(whole.folder)
    about = (resumed.folder / "run.json").read_text()
    assert json.loads(about)["recipe"]["model"]["vectors"] == "mine.txt"
    assert str(tmp_path / "mine.txt") not in about


def test_a_run_stopped_before_its_first_epoch_leaves_nothing(data: Path, tmp_path: Path) -> None:
    before = set(tmp_path.iterdir())

    def progress(seen) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        train_run(data, settings("training.batch_size=4"), out=tmp_path / "run", progress=progress)
    assert set(tmp_path.iterdir()) == before


def test_data_that_has_changed_is_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        train_run(data, settings(), out=tmp_path / "run", progress=stop_after("search", 2))
    data.write_text(data.read_text() + "one more,pos\n")
    with pytest.raises(InputError, match="has changed since"):
        resume_run(tmp_path / "run")
    assert find_unfinished(tmp_path) == [(tmp_path / "run", False)]


def test_only_intact_unfinished_runs_can_be_resumed(data: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not an unfinished run"):
        resume_run(tmp_path / "never")
    run = train_run(data, settings(), out=tmp_path / "run")
    with pytest.raises(InputError, match="is finished"):
        resume_run(run.folder)
    broken = unfinished_folder(tmp_path / "broken")
    broken.mkdir()
    (broken / "asked.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        read_unfinished(tmp_path / "broken")


def test_n_grams_and_standing_objects_are_not_kept(data: Path, tmp_path: Path) -> None:
    train_run(data, TrainSettings(recipe="naive-bayes"), out=tmp_path / "ngrams")
    seen: list[list[Path]] = []
    rows = pl.read_csv(data)
    train_run(rows, settings(), out=tmp_path / "frame", progress=lambda s: seen.append(find_unfinished(tmp_path)))
    assert seen
    assert not any(seen)


def test_an_older_run_is_kept_until_the_new_one_is_complete(data: Path, tmp_path: Path) -> None:
    old = train_run(data, TrainSettings(recipe="naive-bayes"), out=tmp_path / "run")
    with pytest.raises(StoppedError):
        train_run(data, settings(), out=tmp_path / "run", progress=stop_after("search", 2))
    assert json.loads((old.folder / "run.json").read_text())["recipe"]["recipe"]["name"] == "naive-bayes"
    resume_run(tmp_path / "run")
    assert json.loads((old.folder / "run.json").read_text())["recipe"]["recipe"]["name"] == "embedding-average"


@pytest.mark.slow
def test_a_killed_process_is_resumed_on_the_command_line(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    more = ("training.epochs=20", "model.embedding=64", "training.batch_size=2", 'protocol.refit="no"')
    command = ["train", str(data), "--recipe", "embedding-average", "--seed", "3", "--folds", "0"]
    for setting in (*SMALL[:3], *more):
        command += ["--set", setting]
    process = subprocess.Popen([sys.executable, "-m", "tagline", *command, "--out", "run"], stderr=subprocess.DEVNULL)
    kept = tmp_path / "run.unfinished" / "checkpoints"
    for _ in range(6000):
        if any(kept.rglob("*.pt")) or process.poll() is not None:
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL  # it was killed, not done
    assert not (tmp_path / "run").exists()
    assert main(["runs", "."]) == 0
    assert "run` is unfinished: resume it with `tagline train --resume run`" in capsys.readouterr().err
    assert main([*command, "--resume", "run"]) == 2
    assert "cannot be given with `--resume`" in capsys.readouterr().err
    assert main(["train", "--resume", "run", "--quiet"]) == 0
    shutil.copytree(tmp_path / "run" / "model", tmp_path / "resumed")
    assert main([*command, "--out", "whole", "--quiet"]) == 0
    assert bundle(tmp_path / "whole") == {path.name: path.read_bytes() for path in (tmp_path / "resumed").iterdir()}


def test_one_place_is_trained_by_one_process(data: Path, undisturbed: Path, tmp_path: Path) -> None:
    """A second one asks for the same place while the first trains, and again when it was stopped."""
    refused: list[str] = []

    def progress(seen) -> None:
        if seen.epoch_ended and seen.epoch == 2:
            for again in (
                lambda: train_run(data, settings("training.learning_rate=1e-9"), out=tmp_path / "run"),
                lambda: resume_run(tmp_path / "run"),
            ):
                with pytest.raises(InputError, match="is in use") as refusal:
                    again()
                refused.append(str(refusal.value))
            assert find_unfinished(tmp_path) == [(tmp_path / "run", True)]
            raise StoppedError

    with pytest.raises(StoppedError):
        train_run(data, settings(), out=tmp_path / "run", progress=progress)
    assert len(refused) == 2
    with pytest.raises(InputError, match="is unfinished: resume it with `tagline train --resume"):
        train_run(data, settings(), out=tmp_path / "run")
    assert bundle(resume_run(tmp_path / "run").folder) == bundle(undisturbed)


def test_the_recipe_is_the_one_it_was_started_with(data: Path, undisturbed: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text((RECIPES / "embedding-average.toml").read_text())
    requested = TrainSettings(recipe=recipe, settings=SMALL, seed=3)
    with pytest.raises(StoppedError):
        train_run(data, requested, out=tmp_path / "run", progress=stop_after("search", 3))
    recipe.write_text(recipe.read_text().replace('"adam"', '"sgd"'))
    assert bundle(resume_run(tmp_path / "run").folder) == bundle(undisturbed)


def test_other_versions_are_refused(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StoppedError):
        train_run(data, settings(), out=tmp_path / "run", progress=stop_after("search", 3))
    monkeypatch.setattr("tagline.runs.resume.versions", lambda: {"tagline": "99.0"})
    with pytest.raises(InputError, match=r"was started with tagline .*, and this is 99\.0"):
        resume_run(tmp_path / "run")
    assert find_unfinished(tmp_path)


def test_a_training_that_breaks_leaves_nothing_to_resume(data: Path, tmp_path: Path) -> None:
    before = set(tmp_path.iterdir())
    with pytest.raises(InputError, match="loss became NaN"):
        train_run(data, settings("training.learning_rate=1e37", "training.optimizer=sgd"), out=tmp_path / "run")
    assert set(tmp_path.iterdir()) == before


def test_a_damaged_checkpoint_is_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        train_run(data, settings(), out=tmp_path / "run", progress=stop_after("search", 3))
    (checkpoint,) = (tmp_path / "run.unfinished").rglob("*.pt")
    checkpoint.write_bytes(checkpoint.read_bytes()[:100])
    with pytest.raises(InputError, match="is damaged"):
        resume_run(tmp_path / "run")


def test_folders_named_like_recipe_and_data_do_not_matter(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("embedding-average", "imdb"):
        (tmp_path / name).mkdir()
    with pytest.raises(StoppedError):
        train_run("reviews.csv", settings(), out="run", progress=stop_after("search", 3))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert resume_run(tmp_path / "run.unfinished").folder == tmp_path / "run"


@pytest.mark.parametrize("run", [".", "/", "", "..", "a/b/c"])
def test_odd_places_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="there is nothing to resume"):
        resume_run(run)
