"""`tagline train --engine ray` on three nodes, all on this machine, next to one machine out of core and in memory.

Each file has the train rows of a set; the command draws validation and test rows from them, the same on the cluster
and out of core, with the same vocabulary. In memory all rows but those test rows are learned from. Processor time is
that of the command and its processes, and on the cluster of those on the nodes, too, from the first to the last look
at them.

    TAGLINE_DATA=FOLDER python benchmarks/cluster.py
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import psutil

import measure
from shards import SETS

sys.path.insert(0, str(measure.HERE.parent))

from tests.engines.cluster.raylets import RayCluster  # not installed

_SECONDS_BETWEEN_LOOKS = 0.2


@dataclass(frozen=True)
class Trained:
    """A run and its processor time in seconds."""

    run: Path
    cpu_seconds: float

    def row(self, name: str, way: str) -> list[str]:
        """Return a row of the table."""
        metrics = json.loads((self.run / "metrics.json").read_text(encoding="utf-8"))
        chosen = json.loads((self.run / "run.json").read_text(encoding="utf-8"))["chosen"]
        rows = "/".join(f"{metrics['rows'].get(split) or 0:,}" for split in ("train", "validation", "test"))
        shards = f"{chosen['shards']}, {chosen['rounds']} rounds" if "shards" in chosen else ""
        accuracies = [f"{100 * metrics[split]['accuracy']:.2f}" for split in ("validation", "test")]
        return [name, way, rows, shards, *accuracies, f"{self.cpu_seconds:.0f}"]


def main() -> None:
    """Print a table."""
    arguments = measure.parser(__doc__.splitlines()[0], rounds=1)
    arguments.add_argument("--memory", default="500MB", help="of the two that read part by part")
    options = arguments.parse_args()
    rows = [["set", "trained", "train/validation/test rows", "shards", "validation, %", "test, %", "CPU s"]]
    with tempfile.TemporaryDirectory() as folder:
        for name, path in SETS.items():
            rows += rows_of(name, path, Path(folder) / path.replace("/", "-"), options.memory)
    measure.publish("Training on a Ray cluster", measure.table(rows), options.record)


def rows_of(name: str, path: str, folder: Path, memory: str) -> list[list[str]]:
    """Return the rows of the table for one set."""
    found = measure.original_data(path)
    if found is None:
        raise SystemExit(f"There is no {path} below TAGLINE_DATA.")
    folder.mkdir()
    frame = pl.read_parquet(found)
    if "split" in frame.columns:
        frame = frame.filter(split="train")
    frame = frame.select("text", pl.col("label").cast(pl.String))
    data = folder / "rows.jsonl"
    frame.write_ndjson(data)
    here = alone("train", data, "--memory", memory, "--out", folder / "here")
    with RayCluster() as cluster:
        there = on_cluster(cluster, "train", data, "--memory", memory, "--out", folder / "there")
    lines = pl.read_parquet(here.run / "predictions.parquet")["line"].to_numpy() - 1
    numbered = frame.with_row_index()
    numbered.filter(pl.col("index").is_in(lines)).drop("index").write_ndjson(folder / "test.jsonl")
    numbered.filter(~pl.col("index").is_in(lines)).drop("index").write_ndjson(folder / "train.jsonl")
    test = "--test", folder / "test.jsonl"
    whole = alone("train", folder / "train.jsonl", *test, "--out", folder / "whole")
    ways = {"`--engine ray`, 3 nodes": there, "`--memory`, out of core": here, "in memory": whole}
    return [trained.row(name, way) for way, trained in ways.items()]


def alone(*words: str | Path) -> Trained:
    """Run a command on this machine."""
    cost = measure.run_process([sys.executable, "-m", "tagline", *map(str, words), "--quiet"])
    return Trained(Path(words[-1]), cost.cpu_seconds)


def on_cluster(cluster: RayCluster, *words: str | Path) -> Trained:
    """Run a command on a cluster."""
    before, after = seconds_of_nodes(), {}
    engine = "--engine", "ray", "--address", cluster.address, "--quiet"
    with cluster.command(*words, *engine, stdout=subprocess.DEVNULL, stderr=None) as process:
        while process.poll() is None:
            after |= seconds_of_nodes()
            time.sleep(_SECONDS_BETWEEN_LOOKS)
    if process.returncode:
        raise SystemExit(f"The training on the cluster ended with status {process.returncode}.")
    return Trained(Path(words[-1]), sum(after.values()) - sum(before.get(key, 0.0) for key in after))


def seconds_of_nodes() -> dict[tuple[int, float], float]:
    """Return the processor time of the processes that this one has started, by their id and start."""
    found = {}
    for process in psutil.Process(os.getpid()).children(recursive=True):
        try:
            times = process.cpu_times()
            found[process.pid, process.create_time()] = times.user + times.system
        except psutil.NoSuchProcess:
            pass
    return found


if __name__ == "__main__":
    main()
