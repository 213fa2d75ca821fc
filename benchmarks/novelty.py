"""Novelty: false alarms, and how many texts unlike the training texts are found, on train rows only.

`python benchmarks/novelty.py data.parquet … --lines german.txt … --record`: each data set is learned from in turn, with
classes held out where there are six or more. The others are other subjects, files of lines other languages.
"""

import base64
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from measure import parser, publish, table
from tagline import TextClassifier, load_dataset
from tagline.decisions.novelty import Novelty
from tagline.features.vectorizer import Vectorizer
from tagline.task import Bools, Floats

_ROWS = 5_000  # of a data set, without copies; a quarter of them is unseen
_TEXTS = 400  # of each kind of other texts
_HELD_OUT = 1 / 3  # of the classes
_FEWEST = 6  # classes, of which some are held out
_KEYS = ("qwertyuiop", "asdfghjkl", "asdfghjkl", "zxcvbnm")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
Random = np.random.Generator


def drawn(texts: list[str], n: int, rng: Random) -> list[str]:
    """Return at most ``n`` of the texts."""
    return [texts[i] for i in rng.permutation(len(texts))[:n]]


def gibberish(texts: list[str], rng: Random) -> dict[str, list[str]]:
    """Return texts without meaning, as long as those given where they consist of words."""
    lengths = [min(60, max(1, len(text.split()))) for text in texts]
    own = sorted({word for text in texts for word in text.split()})

    def letters(alphabet: str, low: int, high: int) -> str:
        return "".join(rng.choice(list(alphabet), rng.integers(low, high)))

    def shuffled(word: str) -> str:
        return "".join(rng.permutation(list(word)))

    kinds: dict[str, Callable[[], str]] = {
        "random letters": lambda: " ".join(letters(_LETTERS, 2, 10) for _ in range(rng.choice(lengths))),
        "shuffled letters": lambda: " ".join(map(shuffled, texts[rng.integers(len(texts))].split()[:60])),
        "keyboard": lambda: " ".join(letters(_KEYS[rng.integers(4)], 4, 31) for _ in range(rng.integers(1, 4))),
        "base64": lambda: base64.b64encode(rng.bytes(int(rng.integers(12, 61)))).decode(),
        "own words at random": lambda: " ".join(own[i] for i in rng.integers(len(own), size=rng.choice(lengths))),
    }
    return {name: [make() for _ in range(_TEXTS)] for name, make in kinds.items()}


def scores(clf: TextClassifier, texts: list[str]) -> dict[str, Floats]:
    """Return the scores to combine, (n_texts,) each."""
    z = clf.model_.logits(clf.vectorizer_.transform(pl.Series(texts, dtype=pl.String)))
    largest = np.abs(z[:, 0]) if z.shape[1] == 1 else z.max(axis=1)
    assert isinstance(clf.vectorizer_, Vectorizer)  # as `fast` has
    covered = clf.vectorizer_.coverage(pl.Series(texts, dtype=pl.String))
    same = np.ones(len(texts))
    confidence = clf.predict_proba(texts).max(axis=1)
    return {"logit": largest, "probability": confidence, "coverage": covered, "same": same}


#: The scores that are compared: each pair is combined, and `same` leaves the other one alone.
PAIRS = {
    "largest logit": ("logit", "same"),
    "largest probability": ("probability", "same"),
    "coverage": ("same", "coverage"),
    "logit and coverage": ("logit", "coverage"),
    "probability and coverage": ("probability", "coverage"),
}


class Case:
    """A data set that is learned from, and the texts that are compared with it, by kind."""

    def __init__(self, texts: pl.Series, labels: pl.Series, rng: Random) -> None:
        classes = sorted(set(labels))
        out = rng.permutation(classes)[: round(_HELD_OUT * len(classes))] if len(classes) >= _FEWEST else []
        held: Bools = labels.is_in(list(out)).to_numpy()
        inside = rng.permutation(np.flatnonzero(~held))[:_ROWS]
        unseen, train = inside[: len(inside) // 4], inside[len(inside) // 4 :]
        self.n_train, self.n_out = len(train), len(out)
        self.clf = TextClassifier().fit(texts[train], labels[train])
        self.unseen = texts[unseen].to_list()
        self.kinds: dict[str, list[list[str]]] = {
            "held-out classes": [drawn(texts.filter(pl.Series(held)).to_list(), 1_000, rng)] if len(out) else [],
            "gibberish": list(gibberish(self.unseen, rng).values()),
        }

    def found(self, share: float) -> dict[str, float]:
        """Return false alarms and the share found of each kind, by the p-values of the product."""
        flagged = {name: [self._share(texts, share) for texts in lists] for name, lists in self.kinds.items() if lists}
        return {"false alarms": self._share(self.unseen, share)} | {k: float(np.mean(v)) for k, v in flagged.items()}

    def _share(self, texts: list[str], share: float) -> float:
        return float((self.clf.novelty_p_values(texts) <= share).mean())

    def compared(self, share: float) -> dict[str, dict[str, float]]:
        """Return the same for all scores; the cut is set on one half of the unseen texts and measured on the other."""
        half = len(self.unseen) // 2
        reference, other = scores(self.clf, self.unseen[:half]), scores(self.clf, self.unseen[half:])
        of_kinds = {name: [scores(self.clf, texts) for texts in lists] for name, lists in self.kinds.items() if lists}
        found: dict[str, dict[str, float]] = {}
        for pair, (one, two) in PAIRS.items():
            novelty = Novelty.of(reference[one], reference[two])

            def flagged(of: dict[str, Floats], novelty: Novelty = novelty, one: str = one, two: str = two) -> float:
                return float((novelty.p_values(of[one], of[two]) <= share).mean())

            found[pair] = {"false alarms": flagged(other)}
            found[pair] |= {name: float(np.mean([flagged(of) for of in lists])) for name, lists in of_kinds.items()}
        return found


def mean_of(found: list[dict[str, float]]) -> dict[str, float]:
    """Return the mean of each figure over those that have it."""
    names = dict.fromkeys(name for one in found for name in one)
    return {name: float(np.mean([one[name] for one in found if name in one])) for name in names}


def cells(found: dict[str, float], kinds: list[str]) -> list[str]:
    """Return figures in per cent."""
    return [f"{100 * found[kind]:.1f}" if kind in found else "–" for kind in kinds]


def main() -> None:
    """Measure each data set and print the tables."""
    options = parser(__doc__.splitlines()[0], rounds=3)
    options.add_argument("data", nargs="+", help="files, or names of built-in datasets")
    options.add_argument("--lines", nargs="*", default=[], help="files of texts in other languages, one a line")
    options.add_argument(
        "--foreign", nargs="*", default=[], help="names of data sets in another language than the rest"
    )
    options.add_argument("--share", type=float, default=0.04, help="of false alarms (default %(default)s)")
    given = options.parse_args()
    rows = {}
    for path in given.data:
        train = load_dataset(path).train
        rows[Path(path).stem] = pl.DataFrame({"text": train.texts, "label": train.labels}).unique(
            "text", maintain_order=True
        )
    languages = [Path(path).read_text(encoding="utf-8").splitlines() for path in given.lines]
    kinds = ["false alarms", "held-out classes", "other subjects", "other languages", "gibberish"]
    head = ["data", "train rows", "classes", *kinds]
    of_sets = [head]
    of_scores: dict[str, list[tuple[str, dict[str, float]]]] = {pair: [] for pair in PAIRS}
    for name, frame in rows.items():
        if frame["label"].dtype == pl.List:
            continue
        found = []
        for turn in range(given.rounds):
            rng = np.random.default_rng(turn)
            case = Case(frame["text"], frame["label"].cast(pl.String), rng)
            others = {other: drawn(rows[other]["text"].to_list(), _TEXTS, rng) for other in rows if other != name}
            is_foreign = {other: (other in given.foreign) != (name in given.foreign) for other in others}
            case.kinds["other subjects"] = [texts for other, texts in others.items() if not is_foreign[other]]
            foreign = [texts for other, texts in others.items() if is_foreign[other]]
            case.kinds["other languages"] = foreign + languages
            found.append(case.found(given.share))
            for pair, figures in case.compared(given.share).items():
                of_scores[pair].append((name, figures))
            print(name, turn, found[-1], file=sys.stderr, flush=True)
        n_classes = len(case.clf.classes_)
        about = f"{n_classes} of {n_classes + case.n_out}" if case.n_out else str(n_classes)
        of_sets.append([name, f"{case.n_train:,}", about, *cells(mean_of(found), kinds)])
    lines = [["score", *kinds, "mean found"]]
    for pair, found_in in of_scores.items():
        by_set = [
            mean_of([figures for of, figures in found_in if of == name])
            for name in dict.fromkeys(n for n, _ in found_in)
        ]
        mean = mean_of(by_set)
        lines.append([pair, *cells(mean, kinds), f"{100 * np.mean([mean[kind] for kind in kinds[1:]]):.1f}"])
    text = f"Texts with a p-value of at most {given.share:g}, in per cent; means of {given.rounds} draws.\n\n"
    text += (
        f"{table(of_sets)}\n\nScores compared: the cut is set on half of the unseen texts, and measured on the other "
    )
    text += f"half.\n\n{table(lines)}"
    publish("Novelty: texts unlike the training texts", text, given.record)


if __name__ == "__main__":
    main()
