"""When the compiled extensions count as being there."""

import shutil
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

import tagline
from tagline.compiled import COMPILED, EXTENSIONS

PACKAGE = Path(tagline.__file__).parent
CODE = (
    "import tagline.features.scorer; from tagline.compiled import COMPILED, MISSING; print(COMPILED, MISSING is None)"
)


def state(folder: Path) -> str:
    """Return whether a process that imports a copy of tagline takes the compiled path, and whether it is content."""
    command = [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(folder)!r}); {CODE}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    shutil.copytree(PACKAGE, tmp_path / "tagline", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def extension_files(folder: Path, name: str) -> list[Path]:
    path = folder / "tagline" / name
    return [found for suffix in EXTENSION_SUFFIXES if (found := path.with_name(path.name + suffix)).exists()]


def test_each_source_is_listed() -> None:
    sources = sorted(path.relative_to(PACKAGE).with_suffix("").as_posix() for path in PACKAGE.rglob("*.pyx"))
    assert sorted(EXTENSIONS) == sources


def test_all_are_needed(copied: Path) -> None:
    for path in extension_files(copied, "features/_core/rows"):
        path.unlink()
    assert state(copied) == "False False"


def test_those_of_another_system_are_left_alone(copied: Path) -> None:
    for name in ("_memoryviews", *EXTENSIONS):
        for path in extension_files(copied, name):
            path.write_bytes(b"\xcf\xfa\xed\xfe, as a file of macOS begins")
    assert state(copied) == "False False"


def test_a_whole_copy_is_compiled_like_this_one(copied: Path) -> None:
    assert state(copied).split()[0] == str(COMPILED)
