"""`tagline tune` beside fastText's autotune: the same rows, the same seconds, the same cores, in one call.

The sets are TAGLINE_DATA's dev/*.parquet with one label a text. Both are given the train rows; the dev rows of a set,
where it has some, are validation rows for both. Where it has none, fastText, which takes a validation file, is given a
tenth of the train rows as that; tagline holds rows out by itself. A set without an official split is cut once, a fifth
for the test. The test rows are read once by each. fastText trains once more after its search, beyond its seconds, which
the time shown has in it; so do tagline's seconds have its report. A run of fastText that diverges is run once more,
with the next seed. fastText gets Chinese split into characters.
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
    """Search by fastText's autotune on the files of a folder and print what the test rows say, as JSON."""
    train, validation, test = (pl.read_parquet(folder / f"{name}.parquet") for name in ("train", "validation", "test"))
    began = time.perf_counter()
    if not len(validation):
        order = np.random.default_rng(SEED).permutation(len(train))
        n_held = len(train) // 10
        train, validation = train[order[n_held:]], train[order[:n_held]]
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
    took = time.perf_counter() - began
    model.save_model(str(folder / "model.bin"))
    size = (folder / "model.bin").stat().st_size / 1e6
    print(json.dumps({"accuracy": accuracy, "seconds": took, "size_mb": size}))


def main() -> None:
    """Search on every set by both, and print a table."""
    arguments = measure.parser(__doc__.splitlines()[0], rounds=1)
    arguments.add_argument("--budget", type=int, default=180, metavar="SECONDS", help="for each (default %(default)s)")
    arguments.add_argument("--sets", nargs="+", metavar="NAME", help="only these sets")
    arguments.add_argument("--autotune", type=Path, help="a step of this benchmark: search by fastText in this folder")
    options = arguments.parse_args()
    if options.autotune:
        autotune(options.autotune, options.budget)
        return
    data = measure.original_data("dev")
    if data is None:
        print("No TAGLINE_DATA with a folder `dev`: nothing to measure here.", file=sys.stderr)
        return
    rows = [["set", "tagline, %", "fastText, %", "held out, corrected, %", "s", "fastText, s", "MB", "fastText, MB"]]
    figures = []
    for path in sorted(data.glob("*.parquet")):
        frame = pl.read_parquet(path)
        if frame["label"].dtype == pl.List or (options.sets and path.stem not in options.sets):
            continue
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for part, some in zip(("train", "validation", "test"), split(frame), strict=True):
                some.select("text", "label").write_parquet(folder / f"{part}.parquet")
            given = ["--validation", str(folder / "validation.parquet")] if "dev" in frame["split"] else []
            command = ["tune", str(folder / "train.parquet"), "--test", str(folder / "test.parquet"), *given]
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
    text = f"{options.budget} s for each, {peers.THREADS} cores; test rows read once.\n\n{measure.table(rows)}"
    measure.publish("A search beside fastText's autotune", text, options.record)


if __name__ == "__main__":
    main()
