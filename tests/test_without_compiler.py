"""An installation without a C compiler: it succeeds, says so, and answers the same."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tagline import TextClassifier

ROOT = Path(__file__).parents[1]
GOLDEN = Path(__file__).parent / "golden"
BUNDLES = ["bundle-v1", "bundle-v2-fast-multiclass", "bundle-v2-fast-multilabel", "bundle-v4"]
PREDICT = """
import json, sys
import numpy as np
from tagline import TextClassifier
from tagline.compiled import COMPILED
assert not COMPILED
for bundle, texts, output in json.load(sys.stdin):
    np.save(output, TextClassifier.load(bundle).predict_proba(texts))
"""
TEXTS = ["A good film, don't miss it!", "", "Σ 我喜欢 é 👍🏽 https://a.b/c<br />dreadful", "bad bad bad"]


def run(*command: str | Path, cwd: Path, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "TAGLINE_"))} | environment
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, cwd=cwd, env=env, input=stdin
    )
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the package, built where no compiler works."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installed")
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("*.so", "*.egg-info", "__pycache__"))
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    built = run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", source, cwd=source, CC="false")
    (wheel,) = source.glob("*.whl")
    assert built.stderr.count("could not be built") == 1
    with zipfile.ZipFile(wheel) as archive:
        assert not [name for name in archive.namelist() if name.endswith((".so", ".pyx", ".c"))]
        archive.extractall(folder)
    return folder


@pytest.mark.slow
def test_bundles_answer_to_the_last_bit_as_with_compiled_code(installed: Path, tmp_path: Path) -> None:
    jobs = [(str(GOLDEN / name / "model"), TEXTS, str(tmp_path / f"{name}.npy")) for name in BUNDLES]
    run(sys.executable, "-c", PREDICT, cwd=tmp_path, stdin=json.dumps(jobs), PYTHONPATH=str(installed))
    for bundle, texts, output in jobs:
        assert np.array_equal(np.load(output), TextClassifier.load(bundle).predict_proba(texts))


@pytest.mark.slow
def test_training_works_and_says_so_once(installed: Path, tmp_path: Path) -> None:
    rows = [f"a {word} film number {n},{label}" for n in range(40) for word, label in (("good", "pos"), ("bad", "neg"))]
    (tmp_path / "films.csv").write_text("text,label\n" + "\n".join(rows), encoding="utf-8")
    command = (sys.executable, "-m", "tagline", "train", "films.csv", "--json")
    without = run(*command, "--out", "without", cwd=tmp_path, PYTHONPATH=str(installed))
    assert without.stderr.count("without a C compiler") == 1
    compiled = run(*command, "--out", "compiled", cwd=tmp_path, PYTHONPATH=str(ROOT / "src"))
    assert "compiler" not in compiled.stderr
    accuracies = [json.loads(done.stdout)["test"]["accuracy"] for done in (without, compiled)]
    assert accuracies == [1.0, 1.0]
