"""Trials of settings by nested checks on training rows: a blend with naive Bayes, marks, character n-grams, `C`.

`python benchmarks/trials.py blend --record`: each check learns from some training rows of a data set, chooses on those
that it holds out among them, and is scored on other training rows. A setting replaces the default, the first one, if it
is better by more than the standard error of the difference on the held-out rows, as in `fast`.

    blend       complement naive Bayes beside the linear SVM, of the weight that `fast` chooses
    labels      the same of given weights, for label sets, where `fast` does without
    marks       a token at the start and at the end of each text, which word n-grams contain
    characters  character n-grams where `fast` leaves them out, and what they cost
    C           0.3 and 3 where `fast` takes 1, because the data is large
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import fmean, stdev

import numpy as np
import polars as pl

import measure
from tagline import load_dataset, load_recipe
from tagline.learners import FitOptions, Fitted, TrainingData, fit_recipe
from tagline.task import Bools, Floats, Task

SETS = ("sst2", "trec6", "sms_spam", "movie-snippets", "chnsenticorp", "banking77", "imdb")
BUILT_IN = ("movie-snippets", "bbc-news", "reuters")
MARK = "⁂"  # a token of its own, with a single character n-gram
REPEATS = {300: 4, 1_500: 3}  # checks of a size; 2 of larger ones
SCORED = 4_000  # rows at most
_LEAST = 1e-15


@dataclass(frozen=True)
class Setting:
    """A setting to try: a change of the recipe `fast`, and of the texts."""

    change: str
    change_text: Callable[[pl.Series], pl.Series] = field(default=lambda texts: texts)


def marked(texts: pl.Series) -> pl.Series:
    """Return the texts between marks."""
    return texts.to_frame("text").select(pl.format(f"{MARK} {{}} {MARK}", "text")).to_series()


def settings(trial: str) -> list[Setting]:
    """Return the settings of a trial, the default first."""
    changes: dict[str, tuple[str, ...]] = {
        "blend": ("model.blend=0", "model.blend=auto"),
        "labels": ("model.blend=0", "model.blend=0.15", "model.blend=0.3", "model.blend=0.5"),
        "characters": ("features.characters=auto", "features.characters=[2, 5]"),
        "C": ("model.C=1", "model.C=0.3", "model.C=3"),
    }
    if trial == "marks":
        return [Setting("model.blend=0"), Setting("model.blend=0", marked)]
    return [Setting(change) for change in changes[trial]]


SIZES = {
    "blend": dict.fromkeys(SETS, (300, 1_500, 4_000)) | dict.fromkeys(("20ng", "reuters", "bbc-news"), (300, 1_500)),
    "labels": {"goemotions": (300, 1_500)},
    "marks": dict.fromkeys(SETS, (300, 1_500, 4_000)) | dict.fromkeys(("20ng", "reuters", "bbc-news"), (300,)),
    "characters": {"imdb": (20_000,)},
    "C": {"banking77": (6_000,), "reuters": (1_500, 5_000), "20ng": (1_500, 5_000), "goemotions": (12_000,)},
}


@dataclass(frozen=True)
class Score:
    """Accuracy, or micro F1 of label sets, and log loss on the rows that took no part, and the seconds of the fit."""

    accuracy: float
    log_loss: float
    seconds: float


def rows_of(name: str) -> tuple[pl.Series, Bools, bool]:
    """Return the training texts of a data set without copies, their class matrix, and whether they have label sets."""
    if name in BUILT_IN:
        train = load_dataset(name).train
        frame = pl.DataFrame({"text": train.texts, "label": train.labels})
    else:
        frame = pl.read_parquet(
            measure.original_data("imdb/train.parquet" if name == "imdb" else f"dev/{name}.parquet")
        )
        if "split" in frame.columns:
            frame = frame.filter(pl.col("split").is_in(["train", "all"]))
    frame = frame.unique("text", keep="first", maintain_order=True)
    labels = frame["label"].to_list()
    several = frame["label"].dtype == pl.List
    classes = sorted({one for row in labels for one in row} if several else set(labels))
    Y = np.array([[name in row if several else name == row for name in classes] for row in labels])
    return frame["text"], Y, several


def score(fitted: Fitted, texts: pl.Series, Y: Bools, task: Task, seconds: float) -> Score:
    """Score a fitted recipe on rows that it has not seen; `seconds` are those of the fit."""
    proba = task.probabilities(fitted.calibrator.apply(fitted.model.logits(fitted.vectorizer.transform(texts))))
    decided = fitted.rule.decide(proba, task)
    if task is Task.MULTILABEL:
        loss = -np.log(np.maximum(np.where(Y, proba, 1 - proba), _LEAST)).mean()
        return Score(200 * (decided & Y).sum() / (decided.sum() + Y.sum()), float(loss), seconds)
    known = Y.any(axis=1)  # rows whose class has a training row
    loss = -np.log(np.maximum(proba[known][Y[known]], _LEAST)).mean()
    return Score(100 * (Y[np.arange(len(Y)), decided] & known).mean(), float(loss), seconds)


def held_out_scores(fitted: Fitted, task: Task) -> Floats:
    """Return the score by which `fast` chooses, of each held-out row."""
    held = fitted.calibrated_on
    assert held is not None
    p, Y = held.proba, held.Y
    if task is Task.MULTILABEL:
        return np.asarray(np.log(np.maximum(np.where(Y, p, 1 - p), _LEAST)).mean(axis=1))
    return np.asarray(Y[np.arange(len(Y)), p.argmax(axis=1)], dtype=np.float64)


def choose(held_out: Sequence[Floats]) -> int:
    """Return the setting that replaces the first one, or 0."""
    chosen, gain = 0, 0.0
    for k, scores in enumerate(held_out[1:], 1):
        difference = scores - held_out[0]
        if difference.mean() > max(gain, difference.std() / np.sqrt(len(difference))):
            chosen, gain = k, difference.mean()
    return chosen


def checks(trial: str, name: str, size: int, n_checks: int) -> Iterator[tuple[int, list[Score]]]:
    """Yield the setting chosen and the scores of all settings, for ``n_checks`` draws of ``size`` rows."""
    texts, Y, several = rows_of(name)
    for check in range(n_checks):
        order = np.random.default_rng((size, check)).permutation(len(texts))
        train, other = np.sort(order[:size]), np.sort(order[size : size + (5_000 if size > 12_000 else SCORED)])
        present = Y[train].any(axis=0)
        task = Task.of(int(present.sum()), multilabel=several)
        held_out, scores = [], []
        for setting in settings(trial):
            started = time.perf_counter()
            data = TrainingData(setting.change_text(texts[train]), Y[train][:, present], task)
            fitted = fit_recipe(load_recipe("fast", [setting.change]), data, FitOptions())
            seconds = time.perf_counter() - started
            held_out.append(held_out_scores(fitted, task))
            scores.append(score(fitted, setting.change_text(texts[other]), Y[other][:, present], task, seconds))
        yield choose(held_out), scores


def error(values: Sequence[float]) -> str:
    """Return a mean and its standard error."""
    return f"{fmean(values):+.2f}" + (f" ± {stdev(values) / len(values) ** 0.5:.2f}" if len(values) > 1 else "")


def main() -> None:
    """Run the checks of one trial and print a table."""
    options = measure.parser(__doc__.splitlines()[0], rounds=1)
    options.add_argument("trial", choices=SIZES)
    options.add_argument("--sets", nargs="+", help="only these data sets")
    options.add_argument("--sizes", nargs="+", type=int, help="only these numbers of rows")
    given = options.parse_args()
    sizes, trial = SIZES[given.trial], given.trial
    n_settings = len(settings(trial))
    names = [s.change if s.change_text is not marked else "marks" for s in settings(trial)]
    rows = [["data", "rows", "checks", names[0], *names[1:], "chosen", "log loss", "replaced", "fit, s"]]
    gains: list[float] = []
    for name in given.sets or sizes:
        for size in sizes[name]:
            if given.sizes and size not in given.sizes:
                continue
            done = list(checks(trial, name, size, REPEATS.get(size, 2)))
            always = [[s[k].accuracy - s[0].accuracy for _, s in done] for k in range(1, n_settings)]
            chosen = [s[k].accuracy - s[0].accuracy for k, s in done]
            gains.append(fmean(chosen))
            rows.append([name, f"{size:,}", str(len(done)), f"{fmean(s[0].accuracy for _, s in done):.2f}"])
            rows[-1] += [*map(error, always), error(chosen)]
            rows[-1] += [f"{fmean(s[k].log_loss - s[0].log_loss for k, s in done):+.4f}"]
            rows[-1] += [f"{sum(k > 0 for k, _ in done)}"]
            rows[-1] += [" / ".join(f"{fmean(s[k].seconds for _, s in done):.1f}" for k in range(n_settings))]
            print(*rows[-1], file=sys.stderr, flush=True)
    mean = f"Mean gain of the choice over {len(gains)} rows of the table: {error(gains)}."
    measure.publish(f"Trial of {trial}", f"{measure.table(rows)}\n\n{mean}", given.record)


if __name__ == "__main__":
    main()
