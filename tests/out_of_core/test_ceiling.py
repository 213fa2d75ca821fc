"""Memory and kills, observed from outside of the process."""

import filecmp
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tagline.data import load_dataset
from tagline.data.builtin.samples import find_movies
from tagline.runs.resume import unfinished_folder

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
    pytest.mark.skipif(find_movies() is None, reason="needs the extra `samples`"),
]

LIMIT = 500  # MB
N_ROWS = 16_000


@pytest.fixture(scope="module")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of 20 MB, four times what fits into 500 MB: recombined sentences of reviews, and new names."""
    rows = load_dataset("movie-snippets")
    rng = np.random.default_rng(0)
    labels = rows.train.labels.to_numpy()
    sentences = {name: rows.train.texts.to_numpy()[labels == name] for name in rows.classes}
    path = tmp_path_factory.mktemp("reviews") / "reviews.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for row in range(N_ROWS):  # sorted by class
            label = rows.classes[2 * row // N_ROWS]
            chosen = rng.choice(sentences[label], 10)
            text = " ".join([*chosen, f"name{rng.integers(10**6)} {rng.integers(10**6)}"])
            file.write(json.dumps({"text": text, "label": label}) + "\n")
    return path


def start(reviews: Path, *options: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tagline", "train", *options]
    return subprocess.Popen(command, cwd=reviews.parent, stdout=subprocess.DEVNULL)


def peak_of(process: subprocess.Popen[bytes]) -> float:
    """Wait for a process; return its peak memory in MB, as the system reports it."""
    peak = 0.0
    while process.poll() is None:
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
        if found := re.search(r"VmHWM:\s+(\d+) kB", status):
            peak = int(found[1]) * 1024 / 1e6
        time.sleep(0.01)
    assert process.returncode == 0
    return peak


def test_memory_stays_below_the_limit_and_a_killed_run_resumes(reviews: Path) -> None:
    assert reviews.stat().st_size > 18e6
    undisturbed = reviews.parent / "undisturbed"
    assert 200 < peak_of(start(reviews, reviews.name, "--memory", f"{LIMIT}MB", "--out", str(undisturbed))) < LIMIT
    killed = reviews.parent / "killed"
    process = start(reviews, reviews.name, "--memory", f"{LIMIT}MB", "--out", str(killed))
    passes = unfinished_folder(killed) / "checkpoints" / "descent" / "descent.json"
    while not passes.exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not killed.exists()
    assert peak_of(start(reviews, "--resume", str(killed))) < LIMIT
    for path in (undisturbed / "model").iterdir():
        assert filecmp.cmp(path, killed / "model" / path.name, shallow=False), path.name
    assert not unfinished_folder(killed).exists()


@pytest.mark.parametrize("returns", [False, True])
def test_memory_of_freed_arrays_is_returned(returns: bool) -> None:
    """Once a large array was freed, glibc takes others from its heap, which does not shrink below a used one."""
    code = """
import re, sys
import numpy as np
from pathlib import Path
from tagline.out_of_core import return_freed_arrays
if sys.argv[1] == "True":
    return_freed_arrays()
np.ones(3 * 10**6)
large = [np.ones(2 * 10**6) for _ in range(6)]
used = np.ones(10**5)
resident = lambda: int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024
before = resident()
del large
print(before - resident())
"""
    freed = int(subprocess.run([sys.executable, "-c", code, str(returns)], check=True, capture_output=True).stdout)
    assert (freed > 80e6) == returns
