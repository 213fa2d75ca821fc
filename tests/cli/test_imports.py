"""What commands import: slow libraries only where they are needed, as importing may take longer than training."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

# Runs a command, and prints for each slow library which module of tagline imported it.
RECORD = """
import json, sys
from pathlib import Path

SLOW = (
    "sklearn", "pandas", "pyarrow", "torch", "onnx", "onnxruntime", "scipy.stats", "scipy.optimize", "matplotlib",
    "jinja2", "urllib.request",
)
importers = {}

class Recorder:
    def find_spec(self, name, path=None, target=None):
        library = next((slow for slow in SLOW if name == slow), None)
        if library:
            frame = sys._getframe()
            while not {"tagline", "sklearn"}.intersection(Path(frame.f_code.co_filename).parts):
                if frame.f_code.co_name == "find_spec" and "importlib" in frame.f_code.co_filename:
                    return None  # polars asks only whether the library is installed
                frame = frame.f_back
            importers.setdefault(library, Path(frame.f_code.co_filename).name)
        return None

sys.meta_path.insert(0, Recorder())
from tagline.cli.app import main
status = main(sys.argv[1:])
print(json.dumps(importers), file=sys.stderr)
sys.exit(status)
"""
SOLVER = {"linear.py", "estimators.py"}
CLASSES = {
    "good": "a fine film, a joy to watch",
    "bad": "a dull film, a bore to sit through",
    "fair": "an average film, neither long nor short",
}


def importers_of(*command: str | Path) -> dict[str, str]:
    """Run a command and return which module of tagline imported each slow library."""
    done = subprocess.run(
        [sys.executable, "-c", RECORD, *map(str, command)], text=True, capture_output=True, check=True
    )
    found: dict[str, str] = json.loads(done.stderr.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def data(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows of so many classes."""
    classes = list(CLASSES.items())[: request.param]
    rows = [{"text": f"{text} {row}", "label": name} for row in range(200) for name, text in classes]
    path = tmp_path_factory.mktemp("data") / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("data", [2, 3], indirect=True)
def test_training_imports_no_library_of_other_models(data: Path, tmp_path: Path) -> None:
    found = importers_of("train", data, "--out", tmp_path / "run", "--quiet")
    if "sklearn" in found:  # without the compiled solver
        assert found.pop("sklearn") in SOLVER
        found = {library: module for library, module in found.items() if library == "matplotlib"}
    assert found == {"jinja2": "rendering.py"}  # another process draws the plots

    found = importers_of("predict", tmp_path / "run" / "model", "a fine film")
    assert found == {}


def test_the_process_that_draws_plots_imports_no_scipy() -> None:
    code = "import sys, tagline.plots.save; print('matplotlib' in sys.modules, 'scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True)
    assert done.stdout == "True False\n"


@pytest.mark.parametrize("command", [["--help"], ["train", "--help"], ["--version"]])
def test_help_imports_no_slow_library(command: list[str]) -> None:
    code = (
        "import sys; from tagline.cli.app import main; main(sys.argv[1:]); "
        "print([name for name in ('numpy', 'polars', 'scipy', 'matplotlib') if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *command], text=True, capture_output=True, check=True)
    assert done.stderr.splitlines()[-1] == "[]"
