"""Texts that can be learned from, made up: a few words of the class among words of no class."""

from functools import cache

import numpy as np

COMMON = np.array(["the", "a", "film", "was", "and", "of", "it", "actor", "plot", "scene", ",", ".", "music", "ending"])
OWN = np.array(
    [
        ["good", "great", "lovely", "moving", "joy"],
        ["bad", "dull", "awful", "boring", "mess"],
        ["budget", "market", "shares", "profit", "bank"],
        ["goal", "match", "league", "striker", "coach"],
    ]
)


def made_up(n: int, n_classes: int = 2, seed: int = 0, noise: float = 0.1) -> tuple[list[str], list[str]]:
    """Return ``n`` texts and their classes, `c0` …; a share ``noise`` of the texts speaks of another class."""
    texts, labels = _made_up(n, n_classes, seed, noise)
    return list(texts), list(labels)


@cache
def _made_up(n: int, n_classes: int, seed: int, noise: float) -> tuple[list[str], list[str]]:
    rng = np.random.default_rng(seed)
    texts, labels = [], []
    for row in range(n):
        label = spoken = row % n_classes
        if rng.random() < noise:
            spoken = int(rng.integers(n_classes))
        words = [
            *rng.choice(COMMON, rng.integers(3, 9)),
            *rng.choice(OWN[spoken], rng.integers(1, 3)),
            f"x{rng.integers(n)}",
        ]
        rng.shuffle(words)
        texts.append(" ".join(words))
        labels.append(f"c{label}")
    return texts, labels


def unclear(n: int, n_classes: int = 3, seed: int = 0) -> tuple[list[str], list[str]]:
    """Return ``n`` texts and their classes; two in five have words of two of them."""
    rng = np.random.default_rng(seed)
    texts, labels = made_up(n, n_classes, seed, noise=0.0)
    for row in np.flatnonzero(rng.random(n) < 0.4):
        pair = rng.choice(n_classes, 2, replace=False)
        words = [*rng.choice(COMMON, 5), *(rng.choice(OWN[k]) for k in pair), f"x{rng.integers(n)}"]
        texts[row], labels[row] = " ".join(rng.permutation(words)), f"c{rng.choice(pair)}"
    return texts, labels


def several(n: int, seed: int = 0) -> tuple[list[str], list[list[str]]]:
    """Return ``n`` texts with none, one or two of three labels."""
    rng = np.random.default_rng(seed)
    texts, labels = [], []
    for _ in range(n):
        given = np.flatnonzero(rng.random(3) < 0.4)
        words = [*rng.choice(COMMON, 5), *(rng.choice(OWN[k]) for k in given)]
        rng.shuffle(words)
        texts.append(" ".join(words))
        labels.append([f"c{k}" for k in given])
    return texts, labels
