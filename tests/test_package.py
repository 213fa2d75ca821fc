"""The package as its users get it: the public names, what an import costs, and the wheel in an empty environment."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import tagline

ROOT = Path(__file__).parents[1]
TINY_CSV = "text,label\n" + "".join(
    f"{text} {number},{label}\n"
    for number in range(30)
    for text, label in (("a warm and wonderful film", "pos"), ("a dull and dreadful film", "neg"))
)


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """Run a command without this process's settings for Python and tagline, and return its stdout."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "TAGLINE_", "VIRTUAL_ENV"))}
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, cwd=cwd, env=env)
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_exported_members() -> None:
    assert tagline.__all__ == sorted(tagline.__all__)
    assert [name for name in dir(tagline) if not name.startswith("_")] == tagline.__all__
    seen: dict[str, object] = {}
    exec("from tagline import *", seen)
    assert sorted(seen.keys() - {"__builtins__"}) == tagline.__all__


@pytest.mark.parametrize("name", tagline.__all__)
def test_an_exported_member_is_documented(name: str) -> None:
    assert getattr(tagline, name).__doc__


def test_an_unknown_member_is_an_attribute_error() -> None:
    assert not hasattr(tagline, "Classifier")


@pytest.mark.parametrize("module", ["tagline", "tagline.cli"])
def test_importing_is_light(module: str) -> None:
    heavy = ["matplotlib", "onnx", "onnxruntime", "pandas", "scipy", "sklearn", "torch"]
    code = f"import sys, {module}; print([name for name in {heavy} if name in sys.modules])"
    assert run(sys.executable, "-c", code) == "[]\n"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.mark.slow
def test_the_wheel_contains_all_data_files(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    source = ROOT / "src"
    wanted = {
        path.relative_to(source).as_posix()
        for path in (source / "tagline").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert {"tagline/py.typed", "tagline/recipes/fast.toml", "tagline/report/templates/report.html.j2"} <= wanted
    assert wanted <= held
    assert {name.partition("/")[0] for name in held - wanted} == {f"tagline-{tagline_version()}.dist-info"}


def tagline_version() -> str:
    return run(sys.executable, "-c", "from importlib.metadata import version; print(version('tagline'))").strip()


@pytest.mark.slow
def test_the_wheel_trains_and_predicts_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    bin_folder = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    install = ("-m", "pip", "install", "--quiet", "--no-compile", "-c", ROOT / "constraints.txt", wheel)
    run(bin_folder / "python", *install)
    work, elsewhere = tmp_path / "work", tmp_path / "elsewhere"
    work.mkdir()
    elsewhere.mkdir()
    (work / "films.csv").write_text(TINY_CSV, encoding="utf-8")
    command = bin_folder / "tagline"

    assert "train" in run(command, "--help", cwd=work)
    home = run(bin_folder / "python", "-c", "import tagline; print(tagline.__file__)", cwd=work)
    assert Path(home.strip()).is_relative_to(tmp_path)
    metrics = json.loads(run(command, "train", "films.csv", "--out", "run", "--json", cwd=work))
    assert metrics["test"]["accuracy"] == 1
    assert (work / "run" / "report.html").is_file()
    (work / "run" / "model").rename(elsewhere / "copied")  # the bundle alone is enough
    assert "pos" in run(command, "predict", "copied", "a wonderful film", cwd=elsewhere)
    assert "neg" in run(command, "predict", "copied", "a dreadful film", cwd=elsewhere)
