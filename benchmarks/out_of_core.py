"""Train on a file out of core and in memory, and compare accuracy, time and peak memory, measured from outside.

The rows that the run out of core draws as test rows measure both; in memory all others are learned from.

    python benchmarks/out_of_core.py reviews.jsonl --memory 500MB
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import polars as pl


def measured(command: list[str]) -> tuple[float, float]:
    """Run a command; return its seconds and the peak memory of its process in MB."""
    started, peak = time.perf_counter(), 0.0
    process = subprocess.Popen([sys.executable, "-m", "tagline", *command], stdout=subprocess.DEVNULL)
    while process.poll() is None:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
            peak = int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6
        except (OSError, IndexError):
            pass
        time.sleep(0.05)
    if process.returncode:
        sys.exit(f"tagline {' '.join(command)} failed")
    return time.perf_counter() - started, peak


def accuracy(run: Path) -> float:
    """Return the accuracy of a run on its test rows; of label sets the micro F1."""
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    return float(metrics["test"]["micro_f1" if metrics["task"] == "multilabel" else "accuracy"])


def main() -> None:
    """Print a line for each way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="JSON Lines")
    parser.add_argument("--memory", default="500MB")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        out = measured(["train", str(given.file), "--memory", given.memory, "--out", str(place / "out")])
        test = {*pl.read_parquet(place / "out" / "predictions.parquet")["line"].to_list()}
        names = ("train.jsonl", "test.jsonl")
        with given.file.open(encoding="utf-8") as rows, ExitStack() as opened:
            files = [opened.enter_context((place / name).open("w", encoding="utf-8")) for name in names]
            for number, line in enumerate(rows, 1):
                files[number in test].write(line)
        inside = measured(
            ["train", str(place / "train.jsonl"), "--test", str(place / "test.jsonl"), "--out", str(place / "in")]
        )
        for name, (seconds, peak) in {"out": out, "in": inside}.items():
            print(f"{name}: {100 * accuracy(place / name):.2f} %, {seconds:.0f} s, {peak:.0f} MB")


if __name__ == "__main__":
    main()
