"""Prediction on the IMDB test reviews: throughput, latency, size and start-up time.

The whole command reads a Parquet file and writes its rows with prediction and probability as CSV. The steady
state is a loaded model and a list of texts in memory. fastText uses the model of benchmarks/imdb.py. `--options`
measures what abstention, prediction sets and novelty cost beside plain prediction instead.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import measure

SHORT = "A quiet masterpiece: I was moved to tears."
CALLS = 2000
PLAIN = "plain"
OPTIONS = {
    PLAIN: {},
    "--abstain 0.9": {"abstain": 0.9},
    "--sets 0.9": {"sets": 0.9},
    "--novelty 0.04": {"novelty": 0.04},
}
STARTS = {
    "python, nothing imported": [sys.executable, "-c", "pass"],
    "import tagline": [sys.executable, "-c", "import tagline"],
    "import tagline.TextClassifier": [sys.executable, "-c", "from tagline import TextClassifier"],
    "import fasttext": [sys.executable, "-c", "import fasttext"],
    "tagline --help": measure.tagline("--help"),
}


def load_tagline(model: str) -> Callable[[list[str]], Any]:
    """Return the prediction function of a loaded bundle."""
    from tagline import TextClassifier

    return TextClassifier.load(model).predict_proba


def load_fasttext(model: str) -> Callable[[list[str]], Any]:
    """Return a function that normalises texts and predicts with fastText."""
    import fasttext
    import polars as pl

    import peers

    fasttext.FastText.eprint = lambda *_, **__: None
    loaded = fasttext.load_model(model)

    def predict(texts: list[str]) -> Any:
        if len(texts) == 1:
            return loaded.predict([peers.normalize_one(texts[0])])
        return loaded.predict(peers.normalize_text(pl.Series(texts)).to_list())

    return predict


LOADERS = {"tagline": load_tagline, "fastText": load_fasttext}


def steady(name: str, model: str, rows: str) -> None:
    """Load a model, warm it up, and print texts per second and milliseconds per short text."""
    import polars as pl

    texts = pl.read_parquet(rows)["text"].to_list()
    predict = LOADERS[name](model)
    predict(texts[:1000])
    begin = time.perf_counter()
    predict(texts)
    rate = len(texts) / (time.perf_counter() - begin)
    taken = []
    for _ in range(CALLS):
        begin = time.perf_counter()
        predict([SHORT])
        taken.append(1000 * (time.perf_counter() - begin))
    cuts = quantiles(taken, n=100)
    print(json.dumps({"texts_per_second": rate, "p50_ms": cuts[49], "p99_ms": cuts[98]}))


def steady_options(model: str, rows: str) -> None:
    """Load a model, and print for each option texts per second and the median of milliseconds per short text."""
    import polars as pl

    from tagline import TextClassifier
    from tagline.runs.predicting.predict import predict_texts
    from tagline.runs.predicting.prediction_row import PredictionOptions

    texts, clf = pl.read_parquet(rows)["text"].to_list(), TextClassifier.load(model)
    found = {}
    for name, options in OPTIONS.items():
        given = PredictionOptions(**options)
        predict_texts(clf, texts[:1000], given)
        begin = time.perf_counter()
        predict_texts(clf, texts, given)
        found[name] = {"texts_per_second": len(texts) / (time.perf_counter() - begin)}
    taken: dict[str, list[float]] = {name: [] for name in OPTIONS}
    for _ in range(CALLS // len(OPTIONS)):
        for name, options in OPTIONS.items():
            given = PredictionOptions(**options)
            begin = time.perf_counter()
            predict_texts(clf, [SHORT], given)
            taken[name].append(1000 * (time.perf_counter() - begin))
    print(json.dumps({name: found[name] | {"p50_ms": median(taken[name])} for name in OPTIONS}))


def compare_options(rounds: int, record: bool) -> None:
    """Train, predict with each option, alternating, and print figures and their ratios to plain prediction."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        train, test, what = measure.imdb_files(folder)
        measure.run_process(measure.train_command(train, test, folder / "run"))
        model = str(folder / "run" / "model")
        command = ["predict", model, "--input", str(test), "--output", str(folder / "predictions.csv"), "--quiet"]
        whole = {n: measure.tagline(*command, *("" if n == PLAIN else n).split()) for n in OPTIONS}
        costs = measure.alternate({n: process(c) for n, c in whole.items()}, rounds)
        warm = [measure.run_process([sys.executable, __file__, "options", model, str(test)]) for _ in range(rounds)]

    def row(option: str) -> list[str]:
        seconds = [cost.seconds for cost in costs[option]]
        rates = [round_.answer[option]["texts_per_second"] for round_ in warm]
        p50 = [round_.answer[option]["p50_ms"] for round_ in warm]
        slower = [
            median(a / b.seconds for a, b in zip(seconds, costs[PLAIN], strict=True)),
            median(r.answer[PLAIN]["texts_per_second"] / rate for r, rate in zip(warm, rates, strict=True)),
            median(one / r.answer[PLAIN]["p50_ms"] for r, one in zip(warm, p50, strict=True)),
        ]
        figures = [measure.spread(seconds), measure.spread(rates, 0), measure.spread(p50, 3)]
        return [option, *(cell for pair in zip(figures, slower, strict=True) for cell in (pair[0], f"{pair[1]:.2f}"))]

    header = ["option", "whole command, s", "ratio", "steady, texts/s", "ratio of times", "one text p50, ms", "ratio"]
    text = f"{what} Median of {rounds} rounds (lowest-highest), {CALLS // len(OPTIONS)} single texts per round.\n\n"
    measure.publish("Options of prediction on IMDB", text + measure.table([header, *map(row, OPTIONS)]), record)


def predict_file(model: str, rows: str, out: str) -> None:
    """Do the same as `tagline predict --input --output` with fastText: read, normalise, predict, write."""
    import polars as pl

    frame = pl.read_parquet(rows)
    labels, proba = load_fasttext(model)(frame["text"].to_list())
    prediction = pl.Series("prediction", [names[0] for names in labels])
    probability = pl.Series("probability", [p[0] for p in proba])
    frame.with_columns(prediction, probability).write_csv(out)


def save_fasttext(train: str, model: str) -> None:
    """Train fastText on a Parquet file and save it."""
    import peers

    peers.train_fasttext(*peers.read(train), peers.PUBLISHED).save_model(model)


def size_mb(path: Path) -> float:
    """Return the size of a file, or of all files of a folder, in MB (10^6 bytes)."""
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return sum(p.stat().st_size for p in files) / 1e6


def main() -> None:
    """Train both, measure them, alternating, and print two tables."""
    parser = measure.parser(__doc__.splitlines()[0])
    parser.add_argument("--options", action="store_true", help="measure options of predictions, without fastText")
    options = parser.parse_args()
    if options.options:
        compare_options(options.rounds, options.record)
        return
    this = [sys.executable, __file__]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        train, test, what = measure.imdb_files(folder)
        models = {"tagline": folder / "run" / "model", "fastText": folder / "fasttext.bin"}
        measure.run_process(measure.train_command(train, test, folder / "run"))
        measure.run_process([*this, "save", str(train), str(models["fastText"])])
        rows = measure.run_process([*this, "count", str(test)]).answer["rows"]
        out = str(folder / "predictions.csv")
        whole = {
            "tagline": measure.tagline(
                "predict", str(models["tagline"]), "--input", str(test), "--output", out, "--quiet"
            ),
            "fastText": [*this, "file", str(models["fastText"]), str(test), out],
        }
        steadily = {n: [*this, "steady", n, str(model), str(test)] for n, model in models.items()}
        costs = measure.alternate({n: process(c) for n, c in whole.items()}, options.rounds)
        warm = measure.alternate({n: process(c) for n, c in steadily.items()}, options.rounds)
        starts = measure.alternate({n: process(c) for n, c in STARTS.items()}, 3 * options.rounds)
        sizes = {n: size_mb(model) for n, model in models.items()}

    table = [
        [
            "",
            "whole command, s",
            "texts/s",
            "steady, texts/s",
            "one text p50, ms",
            "p99, ms",
            "peak RSS, MB",
            "size, MB",
        ]
    ]
    for job in models:
        answers = [c.answer for c in warm[job]]
        table.append(
            [
                job,
                measure.spread([c.seconds for c in costs[job]]),
                f"{rows / median(c.seconds for c in costs[job]):.0f}",
                measure.spread([a["texts_per_second"] for a in answers], 0),
                measure.spread([a["p50_ms"] for a in answers], 3),
                measure.spread([a["p99_ms"] for a in answers], 3),
                f"{max(c.peak_rss_mb for c in costs[job]):.0f}",
                f"{sizes[job]:.1f}",
            ]
        )
    start_up = [["process", "seconds"]] + [
        [n, measure.spread([c.seconds for c in taken])] for n, taken in starts.items()
    ]
    text = (
        f"{what} Median of {options.rounds} rounds (lowest-highest), {CALLS} single texts per round.\n\n"
        f"{measure.table(table)}\n\n{measure.table(start_up)}"
    )
    measure.publish("Prediction on IMDB", text, options.record)


def process(command: list[str]) -> Callable[[], measure.Cost]:
    """Return a job that runs ``command`` in a new process."""
    return lambda: measure.run_process(command)


def count(rows: str) -> None:
    """Print the number of rows of a Parquet file."""
    import polars as pl

    print(json.dumps({"rows": len(pl.read_parquet(rows, columns=["text"]))}))


PARTS = {"steady": steady, "options": steady_options, "file": predict_file, "save": save_fasttext, "count": count}

if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in PARTS:
        PARTS[sys.argv[1]](*sys.argv[2:])
    else:
        main()
