"""Without compiled code: the installation succeeds and says so, models answer the same, and trained ones are close."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from importlib.machinery import EXTENSION_SUFFIXES
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
TRAIN = """
import json, sys
from tagline import TextClassifier
from tagline.compiled import COMPILED
assert not COMPILED
texts, labels = json.load(sys.stdin)
classifier = TextClassifier("linear-svm").fit(texts, labels)
classifier.save("model")
print(json.dumps(classifier.predict_proba(texts).tolist()))
"""
TEXTS = ["A good film, don't miss it!", "", "Σ 我喜欢 é 👍🏽 https://a.b/c<br />dreadful", "bad bad bad"]


def run(*command: str | Path, cwd: Path, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "TAGLINE_"))} | environment
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, cwd=cwd, env=env, input=stdin
    )
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def overlapping_classes(n: int) -> tuple[list[str], list[str]]:
    """Return texts that share most words, and their labels."""
    rng = np.random.default_rng(0)
    labels = [("neg", "pos")[number % 2] for number in range(n)]
    words = {"neg": ["dull", "weak", "film", "plot", "good"], "pos": ["good", "fine", "film", "plot", "dull"]}
    return [" ".join(rng.choice(words[label], 8)) for label in labels], labels


def test_what_is_trained_with_the_extensions_turned_off_is_close_and_answers_the_same_with_them(tmp_path: Path) -> None:
    texts, labels = overlapping_classes(200)
    settings = {"PYTHONPATH": str(ROOT / "src"), "TAGLINE_COMPILED": "0"}
    done = run(sys.executable, "-c", TRAIN, cwd=tmp_path, stdin=json.dumps([texts, labels]), **settings)
    without = np.array(json.loads(done.stdout))
    assert np.array_equal(TextClassifier.load(tmp_path / "model").predict_proba(texts), without)
    compiled = TextClassifier("linear-svm").fit(texts, labels).predict_proba(texts)
    assert np.ptp(without) > 0.2
    np.testing.assert_allclose(compiled, without, atol=0.02)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the sources."""
    source = tmp_path_factory.mktemp("source")
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("*.so", "*.egg-info", "__pycache__"))
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    return source


@pytest.fixture(scope="module")
def installed(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the package, built where no compiler works."""
    folder = tmp_path_factory.mktemp("installed")
    built = run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", source, cwd=source, CC="false")
    (wheel,) = source.glob("*-py3-none-any.whl")
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
    rows = [f"{text},{label}" for text, label in zip(*overlapping_classes(1_000), strict=True)]
    (tmp_path / "films.csv").write_text("text,label\n" + "\n".join(rows), encoding="utf-8")
    command = (sys.executable, "-m", "tagline", "train", "films.csv", "--json", "--recipe", "linear-svm")
    without = run(*command, "--out", "without", cwd=tmp_path, PYTHONPATH=str(installed))
    assert without.stderr.count("without its compiled extensions") == 1
    compiled = run(*command, "--out", "compiled", cwd=tmp_path, PYTHONPATH=str(ROOT / "src"))
    assert "compiler" not in compiled.stderr
    losses = [json.loads(done.stdout)["test"]["log_loss"] for done in (without, compiled)]
    assert losses[0] == pytest.approx(losses[1], rel=0.02)  # scikit-learn is stopped before it has converged


@pytest.mark.slow
def test_a_failed_build_in_place_leaves_no_extension_of_an_earlier_one(source: Path) -> None:
    stale = source / "src" / "tagline" / "features" / "_core" / f"rows{EXTENSION_SUFFIXES[-1]}"
    stale.touch()
    command = (sys.executable, "setup.py", "-q", "build_ext", "--inplace")
    with pytest.raises(AssertionError, match=r"ommand .*'false'"):
        run(*command, cwd=source, CC="false", TAGLINE_REQUIRE_COMPILED="1")
    assert stale.exists()
    assert "could not be built" in run(*command, cwd=source, CC="false").stderr
    assert not stale.exists()
