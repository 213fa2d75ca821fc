"""A recipe, texts and classes to a fitted vectorizer and model: choose on rows held out, calibrate, learn from all.

Nothing here looks at a test row or at the clock.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.datasets.splits import copy_keys, fold_rows, strata, units
from tagline.errors import InputError
from tagline.evaluation.calibration import fit_temperature
from tagline.features.ngrams import CharNgrams, WordNgrams
from tagline.features.vectorizer import Block, Vectorizer, scale_columns, unspaced_share
from tagline.models import Model, fit_model
from tagline.recipes import Recipe
from tagline.threads import in_threads

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# With these the shape of the data decides, see the functions that use them; measured by `benchmarks/dev_sets.py`.
_FEW_TEXTS = 1_000  # below, an n-gram that stands in one text counts
_LARGE_BYTES = 25_000_000  # above, words alone say enough
_TRIED_BYTES = 20_000_000  # bytes times outputs; above, the first setting stands: another moves accuracy little
_FOLDED_BYTES = 5_000_000  # bytes times outputs; below, settings are chosen by cross-validation: less noise
_FOLDS = 5
_PARTS = 20  # a share of the rows is so many twentieths
_HELD_OUT = 1_000  # rows to choose and calibrate on, if they are not more than half; at least a tenth
_CHARACTERS = (2, 5)
_MOST_OUTPUTS = 3_000  # of a linear model: time grows with their square, and these take two minutes
_MANY_OUTPUTS = 500  # above, words alone: the coefficients grow with outputs times n-grams
_COEFFICIENT_BYTES = 4e9  # what they may take while they are learnt
_DEFAULT_STRENGTH = 1.0


@dataclass(frozen=True)
class HeldOut:
    """What a model said of training rows that it had not seen, before the final fit.

    ``rows`` are indices into the texts given, (n,); ``Y`` and ``proba`` are (n, n_classes); ``how`` says in words
    how they were held out.
    """

    rows: Ints
    Y: Bools
    proba: Floats
    how: str


@dataclass(frozen=True)
class Fitted:
    """A fitted recipe. ``temperature`` divides logits; a label is given above the probability ``threshold``."""

    vectorizer: Vectorizer
    model: Model
    temperature: float
    threshold: float
    chosen: dict[str, Any]
    held_out: HeldOut | None
    seconds: dict[str, float]


def probabilities(logits: Floats, *, multilabel: bool) -> Floats:
    """Return the probability of each class, (n_texts, n_classes): sigmoid, or softmax of several outputs."""
    if multilabel or logits.shape[1] == 1:
        p: Floats = np.exp(-np.logaddexp(0.0, -logits))
        return p if multilabel else np.hstack([1.0 - p, p])
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return p


@dataclass(frozen=True)
class _Candidate:
    """Settings that held-out rows decide: which of the counted blocks to use, and the model's strength."""

    blocks: tuple[int, ...]
    strength: float


@dataclass
class _Fit:
    """One fit of a recipe: what its steps share."""

    recipe: Recipe
    Y: Bools  # (n_texts, n_classes)
    weights: Floats  # (n_texts,)
    multilabel: bool
    seed: int
    min_df: int
    blocks: list[Block]
    counts: list[sp.csr_matrix]  # of all texts, a matrix a block

    def learn(self, rows: Ints | None, candidate: _Candidate) -> tuple[Vectorizer, Model]:
        """Learn scales and model from some rows, or all."""
        counts = [self.counts[b] if rows is None else self.counts[b][rows] for b in candidate.blocks]
        Y = self.Y if rows is None else self.Y[rows]
        weights = self.weights if rows is None else self.weights[rows]
        features, model = self.recipe.features, self.recipe.model
        scales = tuple(scale_columns(c, Y, features.scale, features.floor, self.min_df) for c in counts)
        blocks = tuple(self.blocks[b] for b in candidate.blocks)
        vectorizer = Vectorizer(blocks, scales, features.tf, features.unit)
        fitted = fit_model(
            model.kind,
            vectorizer.weigh(counts),
            Y,
            weights,
            multilabel=self.multilabel,
            strength=candidate.strength,
            seed=self.seed,
            max_depth=model.max_depth,
            n_trees=model.n_trees,
        )
        return vectorizer, fitted

    def held_out_logits(self, folds: Sequence[tuple[Ints, Ints]], candidate: _Candidate) -> Floats:
        """Return the logits of the held-out rows of all folds, one fold after the other."""

        def one(fold: tuple[Ints, Ints]) -> Floats:
            train, held = fold
            vectorizer, model = self.learn(train, candidate)
            return model.logits(vectorizer.weigh([self.counts[b][held] for b in candidate.blocks]))

        return np.vstack(in_threads(one, folds))


def fit_recipe(
    recipe: Recipe,
    texts: pl.Series,
    Y: Bools,
    weights: Floats,
    *,
    multilabel: bool,
    seed: int,
    n_given: int = 0,
    groups: pl.Series | None = None,
) -> Fitted:
    """Fit a recipe to texts, (n_texts,), and their classes ``Y``, (n_texts, n_classes).

    ``weights`` (n_texts,) multiply the rows. The last ``n_given`` rows are validation rows given by the caller.
    Rows of one of the ``groups``, (n_texts,), are held out together.
    """
    started = time.perf_counter()
    n_bytes = int(texts.str.len_bytes().sum())
    outputs = 1 if Y.shape[1] == 2 else Y.shape[1]
    if outputs > _MOST_OUTPUTS and recipe.model.kind in ("linear-svm", "logistic-regression"):
        raise InputError(
            f"`{recipe.recipe.name}` learns up to {_MOST_OUTPUTS:,} classes, and there are {outputs:,}: "
            "is it the right label column? The recipe `complement-nb` takes more."
        )
    large = n_bytes > _LARGE_BYTES or outputs > _MANY_OUTPUTS
    tries = not large and n_bytes * outputs <= _TRIED_BYTES
    min_df = recipe.features.min_df
    if min_df == "auto":
        min_df = 1 if len(texts) < _FEW_TEXTS else 2
    blocks, counts = _count_blocks(recipe, texts, min_df, large=large)
    if not any(c.nnz for c in counts):
        where = "the texts" if min_df == 1 else f"{min_df:,} of the texts, as `features.min_df` asks"
        raise InputError(f"There is nothing to learn from: no word or sign stands in {where}.")
    needed = 8 * outputs * sum(c.shape[1] for c in counts)
    if needed > _COEFFICIENT_BYTES:
        raise InputError(
            f"{Y.shape[1]:,} classes times {needed // (8 * outputs):,} n-grams are too many to learn: they would take "
            f"{needed / 1e9:,.0f} GB of memory. Is it the right label column? Merge rare ones, or use fewer n-grams: "
            "`--set features.words=1` or a higher `features.min_df`."
        )
    fit = _Fit(recipe, Y, weights, multilabel, seed, min_df, blocks, counts)
    counted = time.perf_counter()
    cheap = n_bytes * outputs <= _FOLDED_BYTES
    folds, how = _hold_out(recipe, texts, Y, groups, n_given, seed, cheap=cheap)
    chosen, logits, tried = _choose(fit, folds, tries=tries)
    learnt_rows = None if recipe.protocol.refit == "all" or not folds else folds[0][0]
    if folds and logits is None:  # nothing was to choose, so the two fits need not wait for each other
        jobs: list[Callable[[], Any]] = [
            lambda: fit.held_out_logits(folds, chosen),
            lambda: fit.learn(learnt_rows, chosen),
        ]
        # Several outputs keep all cores busy by themselves.
        logits, (vectorizer, model) = in_threads(lambda job: job(), jobs) if outputs == 1 else [job() for job in jobs]
    else:
        vectorizer, model = fit.learn(learnt_rows, chosen)
    temperature, threshold, held_out = 1.0, 0.5, None
    if logits is not None:
        held = np.concatenate([rows for _, rows in folds])
        if recipe.protocol.calibration == "temperature":
            temperature = _temperature(logits, Y[held], multilabel)
        proba = probabilities(logits / temperature, multilabel=multilabel)
        if multilabel:
            threshold = _best_threshold(Y[held], proba)
        shown = held >= len(texts) - n_given if n_given else np.ones(len(held), dtype=bool)
        held_out = HeldOut(held[shown], Y[held][shown], proba[shown], how)
    finished = time.perf_counter()
    used = vectorizer.blocks
    settings: dict[str, Any] = {
        **{_block_name(block): [block.table.min_n, len(block.table.keys) + 1] for block in used},
        "min_df": min_df,
        "strength": chosen.strength,
        "temperature": round(temperature, 6),
        "threshold": threshold,
        "held_out": {"rows": sum(len(rows) for _, rows in folds), "how": how} if folds else None,
        "tried": tried,
        "learnt_from": len(texts) if learnt_rows is None else len(learnt_rows),
    }
    seconds = {"features": counted - started, "fit": finished - counted}
    return Fitted(vectorizer, model, temperature, threshold, settings, held_out, seconds)


def _choose(fit: _Fit, folds: list[tuple[Ints, Ints]], *, tries: bool) -> tuple[_Candidate, Floats | None, list[str]]:
    """Return the settings to use, the held-out logits they gave if that is known, and what there was to choose.

    First the blocks, then the strength. A setting gives way only to one that is better by more than the noise of
    the difference, its standard error over the held-out rows.
    """
    model = fit.recipe.model
    first, *others = [model.strength] if model.strength != "auto" else _strengths(model.strengths)
    everything = tuple(range(len(fit.blocks)))
    chosen, logits = _Candidate(everything, first), None
    tried: list[str] = []
    if not tries or not folds:
        return chosen, logits, tried
    Y = fit.Y[np.concatenate([rows for _, rows in folds])]
    rivals = [_Candidate((0,), first)] if fit.recipe.features.characters == "auto" and len(everything) > 1 else []
    for setting in ("characters", "strength"):
        by_strength = [_Candidate(chosen.blocks, strength) for strength in others]
        candidates = rivals if setting == "characters" else by_strength
        if not candidates:
            continue
        tried.append(setting)
        if logits is None:
            logits = fit.held_out_logits(folds, chosen)
        reference, gain = _row_scores(logits, Y, fit.multilabel), 0.0
        for candidate in candidates:
            rival = fit.held_out_logits(folds, candidate)
            difference = _row_scores(rival, Y, fit.multilabel) - reference
            noise = float(difference.std()) / np.sqrt(len(difference))
            if difference.mean() > max(gain, noise):
                chosen, logits, gain = candidate, rival, float(difference.mean())
    return chosen, logits, tried


def _block_name(block: Block) -> str:
    return "characters" if isinstance(block, CharNgrams) else "words"


def _count_blocks(
    recipe: Recipe, texts: pl.Series, min_df: int, *, large: bool
) -> tuple[list[Block], list[sp.csr_matrix]]:
    """Count the n-grams that the recipe asks for; characters on trial are left out where they cannot pay.

    They cannot in scripts written without spaces, where word n-grams are character n-grams, nor in large data.
    """
    features = recipe.features
    counted: list[tuple[Block, sp.csr_matrix]] = []
    spaced = True
    if features.words:
        words, counts = WordNgrams.fit(texts, features.words, min_df)
        counted.append((words, counts))
        spaced = unspaced_share(words.vocabulary) < 0.5
    lengths = features.characters
    if lengths == "auto":
        lengths = _CHARACTERS if spaced and not large else "none"
    if lengths != "none":
        counted.append(CharNgrams.fit(texts, *lengths, min_df))
    return [block for block, _ in counted], [counts for _, counts in counted]


def _strengths(strengths: Sequence[float]) -> list[float]:
    """Return the strengths to try, the one nearest to the usual first."""
    return sorted(strengths, key=lambda strength: abs(np.log(strength / _DEFAULT_STRENGTH)))


def _hold_out(
    recipe: Recipe, texts: pl.Series, Y: Bools, groups: pl.Series | None, n_given: int, seed: int, *, cheap: bool
) -> tuple[list[tuple[Ints, Ints]], str]:
    """Return (train rows, held-out rows) for each fold, and how they came about in words.

    All rows in turn where fits are ``cheap``, unless enough validation rows are given; else one part of them.
    """
    n = len(texts)
    protocol = recipe.protocol
    everything = np.arange(n)
    few = cheap and protocol.validation == "auto" and protocol.refit == "all"
    if n_given and not (few and n_given < _HELD_OUT // 2):
        return [(everything[: n - n_given], everything[n - n_given :])], "the validation rows"
    if n < 2 * _FOLDS:
        return [], ""
    unit = units(copy_keys(texts), groups)
    stratum = strata(pl.Series(Y.argmax(axis=1)))
    if few:
        how = f"{_FOLDS}-fold cross-validation of the {'train and validation' if n_given else 'train'} rows"
        fold = fold_rows(unit, stratum, _FOLDS, seed=seed)
        folds = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(_FOLDS)]
    else:
        enough = max(0.1, min(0.5, _HELD_OUT / n))
        share = enough if protocol.validation == "auto" else protocol.validation
        held = fold_rows(unit, stratum, min(n, _PARTS), seed=seed) < max(1, round(share * _PARTS))
        how = f"{held.mean():.0%} of the train rows, set aside before the final fit"
        folds = [(np.flatnonzero(~held), np.flatnonzero(held))]
    return [(train, held) for train, held in folds if len(train) and len(held)], how


def _row_scores(logits: Floats, Y: Bools, multilabel: bool) -> Floats:
    """Return how well each row is done, (n_texts,): 1 or 0, for several labels minus the mean log loss."""
    if multilabel:
        return -np.asarray(np.logaddexp(0.0, np.where(Y, -logits, logits)).mean(axis=1))
    predicted = (logits[:, 0] > 0).astype(np.int64) if logits.shape[1] == 1 else logits.argmax(axis=1)
    return np.asarray(Y[np.arange(len(Y)), predicted], dtype=np.float64)


def _temperature(logits: Floats, Y: Bools, multilabel: bool) -> float:
    if multilabel:
        return fit_temperature(logits, Y, "multilabel")
    if logits.shape[1] == 1:
        return fit_temperature(logits[:, 0], Y.argmax(axis=1), "binary")
    return fit_temperature(logits, Y.argmax(axis=1), "multiclass")


def _best_threshold(Y: Bools, proba: Floats) -> float:
    """Return the threshold, of 0.05 … 0.95, that gives these rows the best micro F1."""
    grid = np.round(np.arange(0.05, 0.951, 0.05), 2)
    f1 = [2 * (Y & (proba > t)).sum() / max(1, Y.sum() + (proba > t).sum()) for t in grid]
    return float(grid[int(np.argmax(f1))])
