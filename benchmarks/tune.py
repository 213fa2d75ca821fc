"""`tagline tune` compared with fastText's autotune: same rows, same time budget, same cores.

The datasets are dev/*.parquet in TAGLINE_DATA with one label per text. Both search on the train rows. Dev rows, if a
dataset has them, are validation rows for both. Otherwise fastText, which requires a validation file, gets a tenth of
the train rows, and tagline holds out rows itself. Datasets without an official split are split once, with a fifth for
the test. Each reads the test rows once. fastText trains again after its search; the reported time includes this
training, as that of tagline includes its report. A fastText run that diverges is repeated with the next seed. For
fastText, Chinese is split into characters.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import fmean

import numpy as np
import polars as pl

import measure
import peers

SEED = 0


def split(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return train, validation and test rows; there may be no validation rows."""
    if "test" in frame["split"]:
        return frame.filter(split="train"), frame.filter(split="dev"), frame.filter(split="test")
    order = np.random.default_rng(SEED).permutation(len(frame))
    n_test = len(frame) // 5
    return frame[order[n_test:]], frame.clear(), frame[order[:n_test]]


def autotune(folder: Path, seconds: int) -> None:
    """Run fastText's autotune on the files of a folder and print its test metrics as JSON."""
    train, validation, test = (pl.read_parquet(folder / f"{name}.parquet") for name in ("train", "validation", "test"))
    start = time.perf_counter()
    if not len(validation):
        order = np.random.default_rng(SEED).permutation(len(train))
        n_held_out = len(train) // 10
        train, validation = train[order[n_held_out:]], train[order[:n_held_out]]
    for name, rows in (("train", train), ("validation", validation)):
        peers.write_fasttext(folder / f"{name}.txt", rows["text"], rows["label"], SEED)
    model = peers.supervised(
        folder / "train.txt",
        SEED,
        autotuneValidationFile=str(folder / "validation.txt"),
        autotuneDuration=seconds,
        thread=peers.THREADS,
    )
    classes = sorted(set(train["label"]) | set(test["label"]))
    proba = peers.fasttext_proba(model, test["text"], classes)
    accuracy = float((np.array(classes)[proba.argmax(axis=1)] == test["label"].to_numpy()).mean())
    seconds_taken = time.perf_counter() - start
    model.save_model(str(folder / "model.bin"))
    size = (folder / "model.bin").stat().st_size / 1e6
    print(json.dumps({"accuracy": accuracy, "seconds": seconds_taken, "size_mb": size}))


def main() -> None:
    """Run both searches on all datasets and print a table."""
    arguments = measure.parser(__doc__.splitlines()[0], rounds=1)
    arguments.add_argument(
        "--budget", type=int, default=180, metavar="SECONDS", help="time budget of each search (default %(default)s)"
    )
    arguments.add_argument("--sets", nargs="+", metavar="NAME", help="only these datasets")
    arguments.add_argument("--autotune", type=Path, help="internal: run fastText's autotune in this folder")
    options = arguments.parse_args()
    if options.autotune:
        autotune(options.autotune, options.budget)
        return
    data = measure.original_data("dev")
    if data is None:
        print("Nothing to measure: no folder in TAGLINE_DATA contains `dev`.", file=sys.stderr)
        return
    rows = [
        ["set", "tagline, %", "fastText, %", "held-out rows, corrected, %", "s", "fastText, s", "MB", "fastText, MB"]
    ]
    figures = []
    for path in sorted(data.glob("*.parquet")):
        frame = pl.read_parquet(path)
        if frame["label"].dtype == pl.List or (options.sets and path.stem not in options.sets):
            continue
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for part, part_rows in zip(("train", "validation", "test"), split(frame), strict=True):
                part_rows.select("text", "label").write_parquet(folder / f"{part}.parquet")
            validation = ["--validation", str(folder / "validation.parquet")] if "dev" in frame["split"] else []
            command = ["tune", str(folder / "train.parquet"), "--test", str(folder / "test.parquet"), *validation]
            out = folder / "run"
            budget = ["--budget", f"{options.budget}s", "--out", str(out), "--json", "--quiet"]
            ours = measure.run_process(measure.tagline(*command, *budget))
            peer = measure.run_process(
                [sys.executable, __file__, "--autotune", str(folder), "--budget", str(options.budget)]
            )
            size = sum(file.stat().st_size for file in (out / "model").iterdir()) / 1e6
        figures.append((ours.answer["test"]["accuracy"], peer.answer["accuracy"]))
        search = ours.answer["search"]
        low, high = search["corrected_ci95"]
        rows.append(
            [
                path.stem,
                f"{100 * figures[-1][0]:.2f}",
                f"{100 * figures[-1][1]:.2f}",
                f"{100 * search['corrected']:.2f} ({100 * low:.1f}-{100 * high:.1f})",
                f"{ours.seconds:.0f}",
                f"{peer.answer['seconds']:.0f}",
                f"{size:.1f}",
                f"{peer.answer['size_mb']:.0f}",
            ]
        )
        print(" ".join(rows[-1]), search["tried"], search["best"][0]["family"], file=sys.stderr)
    means = [f"{100 * fmean(column):.2f}" for column in zip(*figures, strict=True)]
    rows.append(["mean", *means, *[""] * (len(rows[0]) - 3)])
    text = f"{options.budget} s for each search, {peers.THREADS} cores; test rows read once.\n\n{measure.table(rows)}"
    measure.publish("Search compared with fastText's autotune", text, options.record)


if __name__ == "__main__":
    main()
