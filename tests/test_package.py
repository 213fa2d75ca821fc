"""The package as its users get it: the public names, what an import costs, and the wheel in an empty environment."""

import json
import os
import subprocess
import sys
import zipfile
from email import message_from_bytes
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

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
        if path.is_file() and path.suffix not in {".pyc", ".pxd", ".pyx", ".h"}
    }
    assert {"tagline/py.typed", "tagline/recipes/fast.toml", "tagline/report/templates/report.html.j2"} <= wanted
    assert wanted <= held
    assert {name.partition("/")[0] for name in held - wanted} == {f"tagline-{tagline_version()}.dist-info"}


def tagline_version() -> str:
    return run(sys.executable, "-c", "from importlib.metadata import version; print(version('tagline'))").strip()


def required_distributions(wheel: Path) -> dict[str, Distribution]:
    """Return the installed distributions that a wheel requires without an extra, directly or not."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        to_visit = message_from_bytes(archive.read(name)).get_all("Requires-Dist", [])
    found: dict[str, Distribution] = {}
    while to_visit:
        requirement = Requirement(to_visit.pop())
        name = canonicalize_name(requirement.name)
        if name not in found and (requirement.marker is None or requirement.marker.evaluate({"extra": ""})):
            assert not requirement.extras, f"{requirement}: the requirements of extras are not followed here"
            found[name] = distribution(name)
            to_visit += found[name].requires or []
    return found


@pytest.mark.slow
def test_the_wheel_trains_and_predicts_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    """Its declared requirements are linked from this environment: installing them again takes most of a minute."""
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv")
    bin_folder = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    python = bin_folder / "python"
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    for dist in required_distributions(wheel).values():
        for top in {file.parts[0] for file in dist.files or () if file.parts[0] not in ("..", "__pycache__")}:
            (site / top).symlink_to(Path(str(dist.locate_file(top))).resolve())
    pip = (sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check")
    run(*pip, "install", "--quiet", "--no-compile", "--no-index", wheel)  # fails if a requirement is missing
    run(*pip, "check")
    work, elsewhere = tmp_path / "work", tmp_path / "elsewhere"
    work.mkdir()
    elsewhere.mkdir()
    (work / "films.csv").write_text(TINY_CSV, encoding="utf-8")
    command = bin_folder / "tagline"

    assert "train" in run(command, "--help", cwd=work)
    home = run(python, "-c", "import tagline; print(tagline.__file__)", cwd=work)
    assert Path(home.strip()).is_relative_to(tmp_path)
    metrics = json.loads(run(command, "train", "films.csv", "--out", "run", "--json", cwd=work))
    assert metrics["test"]["accuracy"] == 1
    assert (work / "run" / "report.html").is_file()
    (work / "run" / "model").rename(elsewhere / "copied")  # the bundle alone is enough
    assert "pos" in run(command, "predict", "copied", "a wonderful film", cwd=elsewhere)
    assert "neg" in run(command, "predict", "copied", "a dreadful film", cwd=elsewhere)
