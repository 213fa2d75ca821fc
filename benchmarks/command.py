"""`tagline train` as a whole command, by stage, on data from 2,000 to a million rows.

Each job is a new process: imports, reading and inspecting the data, features, fit, evaluation, plots and report. The
seconds of the processors, which other programs on the machine change less than time, are those of the command and of
the process that draws its plots. With `TAGLINE_DATA`, sentences of the unlabelled reviews of IMDB, labelled by the
words that they hold, show how the time grows with the rows.
"""

import tempfile
from collections.abc import Sequence
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median

import measure

ROWS = (25_000, 100_000, 400_000)
GOOD = r"(?i)\b(good|great|best|love|loved|excellent|wonderful|fine|enjoy|well)\b"
BAD = r"(?i)\b(bad|worst|boring|waste|awful|poor|terrible|stupid|nothing|no)\b"


def write_sentences(folder: Path, n_rows: Sequence[int]) -> list[Path]:
    """Write sentences of the unlabelled reviews, as many as there are at most, with labels."""
    import polars as pl

    source = measure.original_data("imdb/unsupervised.parquet")
    if source is None:
        return []
    texts = pl.read_parquet(source, columns=["text"])["text"]
    sentences = texts.str.replace_all(r"([.!?])\s+", "$1\n").str.split("\n").explode().str.strip_chars()
    sentences = sentences.filter(sentences.str.len_chars().is_between(15, 250)).sample(fraction=1, shuffle=True, seed=1)
    score = sentences.str.count_matches(GOOD).cast(pl.Int64) - sentences.str.count_matches(BAD).cast(pl.Int64)
    odd = sentences.str.len_bytes() % 2 == 1
    positive = (score > 0) | ((score == 0) & odd)
    frame = pl.DataFrame({"text": sentences, "label": positive}).with_columns(
        pl.when("label").then(pl.lit("pos")).otherwise(pl.lit("neg")).alias("label")
    )
    paths = []
    for n in n_rows:
        paths.append(folder / f"{n}-sentences.csv")
        frame.head(n).write_csv(paths[-1])
    return paths


def main() -> None:
    """Measure the commands and print a table."""
    arguments = measure.parser(__doc__.splitlines()[0], rounds=3)
    arguments.add_argument("--rows", type=int, nargs="*", default=ROWS, help="of sentences")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        jobs = ["bbc-news", "movie-reviews", *map(str, write_sentences(folder, options.rows))]
        if measure.original_data("imdb/train.parquet"):
            jobs.append("imdb")
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
    measure.publish("The whole command", text, options.record)


if __name__ == "__main__":
    main()
