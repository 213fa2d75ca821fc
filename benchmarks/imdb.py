"""Training on IMDB: `tagline train` compared with fastText and scikit-learn.

Each job is a new process that reads two Parquet files and ends with the test accuracy; the jobs alternate. The
time of tagline includes hyperparameter selection on validation rows, calibration, confidence intervals, saving
the model and writing the report; the others do none of that.
"""

import sys
import tempfile
from pathlib import Path
from statistics import median

import measure


def main() -> None:
    """Measure the three jobs and print a table."""
    arguments = measure.parser(__doc__.splitlines()[0])
    arguments.add_argument("--peers-only", action="store_true", help="skip tagline")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        train, test, what = measure.imdb_files(folder)
        peers = str(measure.HERE / "peers.py")
        runs = iter(range(options.rounds))
        jobs = {
            "tagline train": lambda: measure.run_process(
                measure.train_command(train, test, folder / f"run-{next(runs)}")
            ),
            "fastText, as in its paper": lambda: measure.run_process(
                [sys.executable, peers, "fasttext", str(train), str(test)]
            ),
            "fastText, its defaults": lambda: measure.run_process(
                [sys.executable, peers, "fasttext-defaults", str(train), str(test)]
            ),
            "scikit-learn TF-IDF + LinearSVC": lambda: measure.run_process(
                [sys.executable, peers, "sklearn", str(train), str(test)]
            ),
        }
        if options.peers_only:
            del jobs["tagline train"]
        costs = measure.alternate(jobs, options.rounds)

    rows = [
        [
            "whole job",
            "seconds",
            "relative to fastText’s defaults",
            "peak RSS, MB",
            "test accuracy, %",
            "ECE, %",
            "stages, s",
        ]
    ]
    base = median(c.seconds for c in costs["fastText, its defaults"])
    for job, taken in costs.items():
        seconds = [c.seconds for c in taken]
        answer = taken[-1].answer
        accuracy = [100 * (c.answer.get("test") or c.answer)["accuracy"] for c in taken]
        ece = (answer.get("test") or {}).get("ece")  # not computed for the others
        stages = ", ".join(f"{stage} {s:.1f}" for stage, s in answer["seconds"].items() if stage != "total")
        rows.append(
            [
                job,
                measure.spread(seconds),
                f"{median(seconds) / base:.2f}",
                f"{max(c.peak_rss_mb for c in taken):.0f}",
                measure.spread(accuracy),
                "-" if ece is None else f"{100 * ece:.2f}",
                stages,
            ]
        )
    text = f"{what} Median of {options.rounds} rounds (lowest-highest).\n\n{measure.table(rows)}"
    measure.publish("Training on IMDB", text, options.record)


if __name__ == "__main__":
    main()
