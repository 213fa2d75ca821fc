"""How seconds and memory grow with the rows: `tagline train` and `predict` beside fastText, SGD and Vowpal Wabbit.

The texts are those of `recombine.py`, made of IMDB's training reviews (`TAGLINE_DATA`): 0.45 kB each, with a vocabulary
that grows. Every job is a new process whose peak memory is read from outside. Each system reads a file in its own
format, which is written before; tagline's time includes reading CSV, inspecting the data, calibration, figures with
intervals and the report. `predict` reads the training file and writes a CSV with a prediction for each row.

MB/s are bytes of the CSV file. The exponent is the slope of log seconds against log rows (least squares): 1 is linear.
A system that fails at one size, for instance for want of memory, is left out at larger ones.
"""

import argparse
import importlib.util
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import log
from pathlib import Path
from statistics import median

import measure

SIZES = (25_000, 100_000, 400_000, 1_600_000, 6_400_000)
TEST_ROWS = 25_000
SYSTEMS = {
    "train": "`tagline train`",
    "memory": "`tagline train --memory 1GB`",
    "predict": "`tagline predict`",
    "fasttext": "fastText, bigrams, 5 epochs",
    "sgd": "HashingVectorizer and SGD, 1 pass",
    "vw": "Vowpal Wabbit, bigrams, 1 pass",
}
LAYOUTS = {"fasttext": "fasttext", "vw": "vw"}  # of the others: CSV
MEMORY = "1GB"


@dataclass
class Measured:
    """The rounds of one system by number of rows, and the numbers of bytes of the CSV files."""

    rounds: dict[int, list[measure.Cost]] = field(default_factory=dict)
    failed: int | None = None

    def seconds(self, n_rows: int) -> float:
        """Return the median of the seconds."""
        return median(cost.seconds for cost in self.rounds[n_rows])

    def exponent(self) -> float | None:
        """Return the slope of log seconds against log rows; None of a single size."""
        points = [(log(n_rows), log(self.seconds(n_rows))) for n_rows in self.rounds]
        return None if len(points) < 2 else _slope(points)


def main() -> None:
    """Measure all systems at all sizes and print a table."""
    options = _options().parse_args()
    reviews = measure.original_data("imdb/train.parquet")
    if reviews is None:
        raise SystemExit("There is no imdb/train.parquet below TAGLINE_DATA.")
    found = {name: Measured() for name in options.systems}
    n_bytes: dict[int, int] = {}
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        layouts = sorted({LAYOUTS.get(system, "csv") for system in options.systems} | {"csv"})
        tests = _write(folder / "test", reviews, TEST_ROWS, layouts, test=True)
        for n_rows in sorted(options.sizes):
            files = _write(folder / f"train-{n_rows}", reviews, n_rows, layouts)
            n_bytes[n_rows] = files["csv"].stat().st_size
            jobs = _jobs(found, files, tests, folder)
            for system, costs in _alternate(jobs, options.rounds, found, n_rows).items():
                found[system].rounds[n_rows] = costs
            for path in files.values():
                path.unlink()
    text = (
        f"Recombined sentences of IMDB's training reviews, tested on {TEST_ROWS:,} others. Median of {options.rounds} "
        f"rounds (lowest-highest).\n\n{_table(found, n_bytes)}\n\n{_growth(found)}"
    )
    if options.plot is not None:
        _plot(found, options.plot)
    measure.publish("How cost grows with the rows", text, options.record)


def _options() -> argparse.ArgumentParser:
    options = measure.parser(__doc__.splitlines()[0], rounds=1)
    options.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="ROWS", help="numbers of rows")
    options.add_argument("--systems", nargs="+", choices=SYSTEMS, default=_installed(), help="only these systems")
    options.add_argument("--folder", type=Path, help="where the files are written (default: that of temporary files)")
    options.add_argument("--plot", type=Path, metavar="FILE.svg", help="also draw seconds and memory")
    return options


def _installed() -> list[str]:
    """Return the systems that are here: Vowpal Wabbit is `pip install vowpalwabbit`."""
    return [name for name in SYSTEMS if name != "vw" or importlib.util.find_spec("vowpalwabbit")]


def _write(path: Path, reviews: Path, n_rows: int, layouts: Sequence[str], *, test: bool = False) -> dict[str, Path]:
    """Write texts in another process, as NumPy and polars would count as memory of the jobs."""
    files = {name: path.with_suffix(f".{name}") for name in layouts}
    arguments = [str(n_rows), "test" if test else "train", *(f"{name}={file}" for name, file in files.items())]
    cost = measure.run_process([sys.executable, str(measure.HERE / "recombine.py"), str(reviews), *arguments])
    size = sum(file.stat().st_size for file in files.values()) / 1e6
    print(f"{n_rows:,} rows: {size:,.0f} MB written in {cost.seconds:.0f} s", file=sys.stderr)
    return files


def _jobs(
    systems: dict[str, Measured], files: dict[str, Path], tests: dict[str, Path], folder: Path
) -> dict[str, Callable[[], measure.Cost]]:
    """Return the job of each system that has not failed on fewer rows."""
    model = folder / "run"
    train = measure.train_command(files["csv"], tests["csv"], model)
    predictions = str(folder / "predictions.csv")
    predict = measure.tagline("predict", str(model), "--input", str(files["csv"]), "--output", predictions, "--quiet")
    commands = {
        "train": train,
        "memory": [*measure.train_command(files["csv"], tests["csv"], folder / "run-memory"), "--memory", MEMORY],
        "predict": predict,
    }
    for name in ("fasttext", "sgd", "vw"):
        layout = LAYOUTS.get(name, "csv")
        if layout in files:
            peer = [sys.executable, str(measure.HERE / "scale_peers.py"), name]
            commands[name] = [*peer, str(files[layout]), str(tests[layout])]
    if "predict" in systems and "train" not in systems:
        measure.run_process(train)
    return {name: partial(measure.run_process, commands[name]) for name in systems if systems[name].failed is None}


def _alternate(
    jobs: dict[str, Callable[[], measure.Cost]], rounds: int, systems: dict[str, Measured], n_rows: int
) -> dict[str, list[measure.Cost]]:
    """Run the jobs in turn; a job that fails is noted and left out from then on."""
    costs: dict[str, list[measure.Cost]] = {}
    for turn in range(rounds):
        for name, job in jobs.items():
            if systems[name].failed is not None:
                continue
            try:
                costs.setdefault(name, []).append(job())
            except SystemExit as error:
                print(error, file=sys.stderr)
                systems[name].failed = n_rows
                costs.pop(name, None)
                continue
            print(f"{n_rows:,} rows, round {turn + 1}: {name} {costs[name][-1].seconds:.2f} s", file=sys.stderr)
    return costs


def _table(systems: dict[str, Measured], n_bytes: dict[int, int]) -> str:
    rows = [["system", "rows", "CSV, MB", "seconds", "of processors", "MB/s", "peak RSS, MB", "test accuracy, %"]]
    for name, measured in systems.items():
        for n_rows, costs in measured.rounds.items():
            size = n_bytes[n_rows] / 1e6
            accuracies = [_accuracy(cost) for cost in costs]
            rows.append(
                [
                    SYSTEMS[name],
                    f"{n_rows:,}",
                    f"{size:,.0f}",
                    measure.spread([cost.seconds for cost in costs], 1),
                    measure.spread([cost.cpu_seconds for cost in costs], 1),
                    f"{size / measured.seconds(n_rows):.1f}",
                    f"{max(cost.peak_rss_mb for cost in costs):,.0f}",
                    "-" if None in accuracies else measure.spread([100 * each for each in accuracies if each]),
                ]
            )
        if measured.failed is not None:
            rows.append([SYSTEMS[name], f"{measured.failed:,}", *["failed"] * 6])
    return measure.table(rows)


def _accuracy(cost: measure.Cost) -> float | None:
    of = cost.answer.get("test") or cost.answer
    return of.get("accuracy")


def _growth(systems: dict[str, Measured]) -> str:
    exponents = {SYSTEMS[name]: measured.exponent() for name, measured in systems.items()}
    said = [f"{name} {exponent:.2f}" for name, exponent in exponents.items() if exponent is not None]
    return f"Exponents of the growth of seconds with the rows: {', '.join(said)}." if said else ""


def _slope(points: Sequence[tuple[float, float]]) -> float:
    n = len(points)
    x_mean, y_mean = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    return sum((x - x_mean) * (y - y_mean) for x, y in points) / sum((x - x_mean) ** 2 for x, _ in points)


def _plot(systems: dict[str, Measured], path: Path) -> None:
    """Draw seconds and peak memory against rows, both logarithmic."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    for name, measured in systems.items():
        rows = list(measured.rounds)
        label = SYSTEMS[name].replace("`", "")
        axes[0].plot(rows, [measured.seconds(n) for n in rows], "o-", label=label)
        axes[1].plot(rows, [max(cost.peak_rss_mb for cost in measured.rounds[n]) for n in rows], "o-", label=label)
    for axis, title in zip(axes, ("Seconds", "Peak memory, MB"), strict=True):
        axis.set(xscale="log", yscale="log", xlabel="Rows", title=title)
        axis.grid(visible=True, which="both", alpha=0.2)
    axes[0].legend(frameon=False, fontsize="small")
    figure.savefig(path)


if __name__ == "__main__":
    main()
