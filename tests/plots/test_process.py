"""The process that draws writes the same files, and plots are drawn without it where it cannot."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tagline.plots import process as plot_process
from tagline.plots.process import PlotProcess
from tagline.plots.registry import PlotData, Predictions
from tagline.plots.save import save_plots
from tagline.task import Task
from tests.plots_of_runs import drawn

pytestmark = pytest.mark.usefixtures("drawn_plots")


@pytest.fixture(scope="module")
def data() -> PlotData:
    rng = np.random.default_rng(0)
    proba = rng.random(200)
    y_true = (rng.random(200) < proba).astype(np.int64)
    both = np.stack([1 - proba, proba], axis=1)
    return PlotData(Task.BINARY, Predictions(y_true, both.argmax(axis=1), both, ["no", "yes"], Task.BINARY))


@pytest.fixture(scope="module")
def expected(data: PlotData, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("plots")
    with drawn():
        save_plots(folder, data)
    return files_of(folder)


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_another_process_draws_the_same_files(
    data: PlotData, expected: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plot_process, "cores", lambda: 2)
    monkeypatch.chdir(tmp_path)
    with PlotProcess() as plots:
        plots.draw(Path("plots"), data)
        plots.wait_for_vectors()
        assert {name for name in expected if name.endswith(".svg")} <= set(files_of(tmp_path / "plots"))
        plots.wait()
        assert files_of(tmp_path / "plots") == expected


def test_drawing_needs_no_scipy(data: PlotData, expected: dict[str, bytes], tmp_path: Path) -> None:
    with PlotProcess() as plots:
        plots.draw(tmp_path / "here", data)
    code = (
        "import sys; from tagline.plots.process import _draw; _draw(sys.stdin.buffer); "
        "print([name for name in sys.modules if name.partition('.')[0] == 'scipy'], file=sys.stderr)"
    )
    given = pickle.dumps((tmp_path / "there", data))
    done = subprocess.run([sys.executable, "-c", code], input=given, capture_output=True, check=True)
    assert done.stderr.decode().splitlines()[-1] == "[]"
    assert files_of(tmp_path / "there") == expected


def test_python_files_beside_the_data_are_not_run(
    data: PlotData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "random.py").write_text("from pathlib import Path\n\nPath('was_run').touch()\n", encoding="utf-8")
    monkeypatch.setattr(plot_process, "cores", lambda: 2)
    monkeypatch.chdir(tmp_path)
    with PlotProcess() as plots:
        plots.draw(Path("plots"), data)
        assert plots._process is not None
        assert plots._process.wait() == 0
        plots.wait()
    assert not Path("was_run").exists()


@pytest.mark.parametrize("at", ["before", "while drawing"])
def test_a_process_that_ended_is_replaced(
    data: PlotData, expected: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    monkeypatch.setattr(plot_process, "cores", lambda: 2)
    with PlotProcess() as plots:
        assert plots._process is not None
        if at == "before":
            plots._process.kill()
            plots._process.wait()
        plots.draw(tmp_path, data)
        if at == "while drawing":
            plots._process.kill()
        plots.wait_for_vectors()
        plots.wait()
        assert files_of(tmp_path) == expected


@pytest.mark.parametrize(("n_cores", "most"), [(1, 10**9), (2, 10)])
def test_one_core_and_large_data_are_drawn_here(
    data: PlotData,
    expected: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    n_cores: int,
    most: int,
) -> None:
    monkeypatch.setattr(plot_process, "cores", lambda: n_cores)
    monkeypatch.setattr(plot_process, "_MOST_BYTES", most)
    with PlotProcess() as plots:
        plots.draw(tmp_path, data)
        assert files_of(tmp_path) == expected  # before anyone waits
        plots.wait_for_vectors()
        plots.wait()
    assert files_of(tmp_path) == expected


def test_a_process_that_is_not_needed_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plot_process, "cores", lambda: 2)
    with PlotProcess() as plots:
        process = plots._process
        assert process is not None
    assert process.poll() is not None
