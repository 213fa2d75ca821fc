"""A recipe of n-grams: count, choose on rows held out, calibrate, learn from all.

Nothing here looks at a test row or at the clock.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import scipy.sparse as sp

from tagline.errors import InputError
from tagline.features.ngrams import CharNgrams, WordNgrams
from tagline.features.tokenizer import Tokenizer
from tagline.features.vectorizer import Block, Vectorizer, scale_columns, unspaced_share
from tagline.learners.base import Bools, Fitted, Floats, HeldOut, Ints, best_threshold, probabilities, temperature_of
from tagline.learners.feature_cache import Encodings
from tagline.learners.holdout import hold_out
from tagline.models import HyperParameters, Model, fit_model
from tagline.models.linear import LINEAR_MODELS
from tagline.parallel import in_threads
from tagline.recipes import NgramFeatures, NgramModel, Recipe

# With these the shape of the data decides, see the functions that use them; measured by `benchmarks/dev_sets.py`.
_FEW_TEXTS = 1_000  # below, an n-gram that stands in one text counts
_LARGE_BYTES = 25_000_000  # above, words alone say enough
_TRIED_BYTES = 20_000_000  # bytes times outputs; above, the first setting stands: another moves accuracy little
_FOLDED_BYTES = 5_000_000  # bytes times outputs; below, settings are chosen by cross-validation: less noise
_CHARACTERS = (2, 5)
_MOST_OUTPUTS = 3_000  # of a linear model: time grows with their square, and these take two minutes
_MANY_OUTPUTS = 500  # above, words alone: the coefficients grow with outputs times n-grams
_COEFFICIENT_BYTES = 4e9  # what they may take while they are learnt


@dataclass(frozen=True)
class _Candidate:
    """Settings that are chosen on held-out rows.

    ``blocks`` are those of the counted blocks to use, ``value`` is that of the hyper-parameter ``NgramModel.tuned``,
    None if there is none.
    """

    blocks: tuple[int, ...]
    value: float | None


@dataclass
class _Fit:
    """One fit of a recipe: what its steps share."""

    features: NgramFeatures
    tokenizer: Tokenizer
    settings: NgramModel
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
        features, model = self.features, self.settings
        tuned = {} if model.tuned is None or candidate.value is None else {model.tuned: candidate.value}
        scales = tuple(scale_columns(c, Y, features.scale, features.floor, self.min_df) for c in counts)
        blocks = tuple(self.blocks[b] for b in candidate.blocks)
        vectorizer = Vectorizer(blocks, scales, features.tf, features.unit, self.tokenizer)
        fitted = fit_model(
            model.kind,
            vectorizer.weigh(counts),
            Y,
            weights,
            HyperParameters(**tuned, max_depth=model.max_depth, n_trees=model.n_trees),
            multilabel=self.multilabel,
            seed=self.seed,
        )
        return vectorizer, fitted

    def logits(self, vectorizer: Vectorizer, model: Model, rows: Ints, candidate: _Candidate) -> Floats:
        """Return what a fit says of some rows."""
        return model.logits(vectorizer.weigh([self.counts[b][rows] for b in candidate.blocks]))

    def held_out_logits(self, folds: Sequence[tuple[Ints, Ints]], candidate: _Candidate) -> Floats:
        """Return the logits of the held-out rows of all folds, one fold after the other."""

        def one(fold: tuple[Ints, Ints]) -> Floats:
            train, held = fold
            return self.logits(*self.learn(train, candidate), held, candidate)

        return np.vstack(in_threads(one, folds))


def fit_ngrams(
    recipe: Recipe,
    texts: pl.Series,
    Y: Bools,
    weights: Floats,
    *,
    multilabel: bool,
    seed: int,
    n_given: int,
    groups: pl.Series | None,
    folds: Sequence[tuple[Ints, Ints]] | None,
    encodings: Encodings | None,
    final: bool,
) -> Fitted:
    """Fit a recipe of n-grams; see `fit_recipe`."""
    started = time.perf_counter()
    features, settings = recipe.features, recipe.model
    assert isinstance(features, NgramFeatures)
    tokenizer = Tokenizer()
    assert isinstance(settings, NgramModel)
    n_bytes = int(texts.str.len_bytes().sum())
    outputs = 1 if Y.shape[1] == 2 else Y.shape[1]
    if outputs > _MOST_OUTPUTS and settings.kind in LINEAR_MODELS:
        raise InputError(
            f"`{recipe.recipe.name}` learns up to {_MOST_OUTPUTS:,} classes, and there are {outputs:,}: "
            "is it the right label column? The recipe `complement-nb` takes more."
        )
    large = n_bytes > _LARGE_BYTES or outputs > _MANY_OUTPUTS
    tries = not large and n_bytes * outputs <= _TRIED_BYTES
    min_df = features.min_df
    if min_df == "auto":
        min_df = 1 if len(texts) < _FEW_TEXTS else 2
    blocks, counts = _count_blocks(features, tokenizer, texts, min_df, encodings, large=large)
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
    fit = _Fit(features, tokenizer, settings, Y, weights, multilabel, seed, min_df, blocks, counts)
    counted = time.perf_counter()
    how = "the rows named"
    if folds is None:
        folds, how = hold_out(recipe, texts, Y, groups, n_given, seed, cheap=is_cheap(texts, Y.shape[1]))
    chosen, logits, tried = _choose(fit, folds, tries=tries)
    learnt_rows = None if (final and recipe.protocol.refit == "all") or not folds else folds[0][0]
    if not final and logits is None and len(folds) == 1:
        vectorizer, model = fit.learn(learnt_rows, chosen)
        logits = fit.logits(vectorizer, model, folds[0][1], chosen)
    elif folds and logits is None:  # nothing was to choose, so the two fits need not wait for each other
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
            temperature = temperature_of(logits, Y[held], multilabel)
        proba = probabilities(logits / temperature, multilabel=multilabel)
        if multilabel:
            threshold = best_threshold(Y[held], proba)
        shown = held >= len(texts) - n_given if n_given else np.ones(len(held), dtype=bool)
        held_out = HeldOut(held[shown], Y[held][shown], proba[shown], how)
    finished = time.perf_counter()
    used = vectorizer.blocks
    decided: dict[str, Any] = {
        **{_block_name(block): [block.table.min_n, len(block.table.keys) + 1] for block in used},
        "min_df": min_df,
        **({} if settings.tuned is None else {settings.tuned: chosen.value}),
        "temperature": round(temperature, 6),
        "threshold": threshold,
        "held_out": {"rows": sum(len(rows) for _, rows in folds), "how": how} if folds else None,
        "tried": tried,
        "learnt_from": len(texts) if learnt_rows is None else len(learnt_rows),
    }
    seconds = {"features": counted - started, "fit": finished - counted}
    return Fitted(vectorizer, model, temperature, threshold, decided, held_out, seconds)


def is_cheap(texts: pl.Series, n_classes: int) -> bool:
    """Say whether fits are so quick that all rows are held out in turn."""
    outputs = 1 if n_classes == 2 else n_classes
    return int(texts.str.len_bytes().sum()) * outputs <= _FOLDED_BYTES


def _choose(
    fit: _Fit, folds: Sequence[tuple[Ints, Ints]], *, tries: bool
) -> tuple[_Candidate, Floats | None, list[str]]:
    """Return the settings to use, the held-out logits they gave if that is known, and what there was to choose.

    First the blocks, then ``C`` or ``alpha``. A setting is replaced only by one that is better by more than the
    standard error of the difference over the held-out rows.
    """
    model = fit.settings
    values = _nearest_first(model.candidates)
    first, others = values[0] if values else None, values[1:]
    everything = tuple(range(len(fit.blocks)))
    chosen, logits = _Candidate(everything, first), None
    tried: list[str] = []
    if not tries or not folds:
        return chosen, logits, tried
    Y = fit.Y[np.concatenate([rows for _, rows in folds])]
    rivals = [_Candidate((0,), first)] if fit.features.characters == "auto" and len(everything) > 1 else []
    for setting in ("characters", model.tuned):
        candidates = rivals if setting == "characters" else [_Candidate(chosen.blocks, value) for value in others]
        if not candidates or setting is None:
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
    features: NgramFeatures,
    tokenizer: Tokenizer,
    texts: pl.Series,
    min_df: int,
    encodings: Encodings | None,
    *,
    large: bool,
) -> tuple[list[Block], list[sp.csr_matrix]]:
    """Count the n-grams that the recipe asks for; characters on trial are left out where they cannot pay.

    They cannot in scripts written without spaces, where word n-grams are character n-grams, nor in large data.
    """
    counted: list[tuple[Block, sp.csr_matrix]] = []
    spaced = True

    def add(key: dict[str, Any], count: Callable[[], tuple[Block, sp.csr_matrix]]) -> Block:
        counted.append(count() if encodings is None else encodings.counted(key | {"min_df": min_df}, tokenizer, count))
        return counted[-1][0]

    if features.words:
        words = add({"words": features.words}, lambda: WordNgrams.fit(texts, tokenizer, features.words, min_df))
        spaced = isinstance(words, WordNgrams) and unspaced_share(words.vocabulary) < 0.5
    lengths = features.characters
    if lengths == "auto":
        lengths = _CHARACTERS if spaced and not large else "none"
    if lengths != "none":
        shortest, longest = lengths
        add({"characters": [shortest, longest]}, lambda: CharNgrams.fit(texts, tokenizer, shortest, longest, min_df))
    return [block for block, _ in counted], [counts for _, counts in counted]


def _nearest_first(values: Sequence[float]) -> list[float]:
    """Return the values of a hyper-parameter, the one nearest to 1 first: it stays unless another is better."""
    return sorted(values, key=lambda value: abs(np.log(value)))


def _row_scores(logits: Floats, Y: Bools, multilabel: bool) -> Floats:
    """Return how well each row is done, (n_texts,): 1 or 0, for several labels minus the mean log loss."""
    if multilabel:
        return -np.asarray(np.logaddexp(0.0, np.where(Y, -logits, logits)).mean(axis=1))
    predicted = (logits[:, 0] > 0).astype(np.int64) if logits.shape[1] == 1 else logits.argmax(axis=1)
    return np.asarray(Y[np.arange(len(Y)), predicted], dtype=np.float64)
