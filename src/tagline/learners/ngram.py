"""Recipes of n-grams: count, choose settings on held-out rows, calibrate, learn from all rows.

Nothing here looks at a test row or at the clock.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
import scipy.sparse as sp

from tagline.calibration import Calibrator, uncalibrated
from tagline.decisions.rule import DecisionRule
from tagline.decisions.thresholds import PER_LABEL
from tagline.errors import InputError
from tagline.features.ngrams import CharNgrams, WordNgrams
from tagline.features.sequences import Sequences
from tagline.features.tokenizer import Tokenizer
from tagline.features.vectorizer import Block, Vectorizer, lengths_of, unspaced_share
from tagline.learners.base import (
    FitOptions,
    Fitted,
    Folds,
    HeldOut,
    TrainingData,
    calibrate,
    check_calibration,
    describe_held_out,
    rows_left_out,
)
from tagline.learners.feature_cache import FeatureCache
from tagline.learners.held_out_novelty import FinalFit, held_out_novelty
from tagline.learners.holdout import affordable_folds, hold_out
from tagline.learners.label_tree import TreeFit, fit_classes_as_tree
from tagline.learners.ngram_fit import Candidate, NgramFit
from tagline.learners.progress import Steps
from tagline.many_classes import MOST_DENSE_CLASSES
from tagline.models import Model
from tagline.models.linear import LINEAR_MODELS
from tagline.recipes import NgramFeatures, NgramModel, Recipe
from tagline.task import Floats, Ints, Task

# With these the shape of the data decides, see the functions that use them; measured by `benchmarks/dev_sets.py`.
FEW_TEXTS = 1_000  # below, an n-gram of a single text counts
_LARGE_BYTES = 25_000_000  # above, words alone suffice
_TRIED_BYTES = 20_000_000  # bytes times outputs; above, the first setting is used: another moves accuracy little
_CHARACTERS = (2, 5)
_MANY_OUTPUTS = 500  # above, words alone: the coefficients grow with outputs times n-grams
_COEFFICIENT_BYTES = 4e9  # the memory that they may need during the fit


class NgramLearner:
    """Fits linear models, naive Bayes and trees to word and character n-grams."""

    def fit(self, recipe: Recipe, data: TrainingData, options: FitOptions) -> Fitted:
        """Fit a recipe of n-grams; see `Learner`."""
        started = time.perf_counter()
        texts = data.texts
        if isinstance(texts, Sequences):
            raise InputError(
                f"`{recipe.recipe.name}` learns from texts, not from ids: take a network, for example `multihot-dense`."
            )
        check_calibration(recipe.protocol.calibration, data.task)
        fit = _prepare(recipe, data, texts, options)
        counted = time.perf_counter()
        if isinstance(fit, TreeFit):
            fitted = fit_classes_as_tree(fit, options)
            return replace(fitted, seconds={"features": counted - started, "fit": time.perf_counter() - counted})
        folds, how = options.folds, "the rows named"
        if folds is None:
            by_label = data.task is Task.MULTILABEL and recipe.protocol.thresholds == PER_LABEL
            n_folds = affordable_folds(texts, data.n_outputs, thresholds=by_label or options.hold_out_all)
            folds, how = hold_out(recipe, data, options.seed, n_folds=n_folds, all_rows=options.hold_out_all)
        fit.steps.expect(fit.n_labels)  # the final fit
        chosen = _choose(fit, folds)
        learned_rows = None if (options.final and recipe.protocol.refit == "all") or not folds else folds[0][0]
        outcome = _learn(fit, folds, chosen, learned_rows, final=options.final)
        calibration = _calibrate(recipe, fit, folds, outcome.logits, how)
        settings: dict[str, Any] = {
            **lengths_of(outcome.vectorizer),
            "min_df": fit.min_df,
            **({} if fit.settings.tuned is None else {fit.settings.tuned: chosen.candidate.value}),
            **({"blend": chosen.candidate.blend} if chosen.candidate.blend or "blend" in chosen.tried else {}),
            **calibration.calibrator.chosen(),
            "threshold": calibration.rule.to_json(),
            "held_out": describe_held_out(data.Y, folds, how) if folds else None,
            "tried": chosen.tried,
            "learnt_from": len(data) if learned_rows is None else len(learned_rows),
        }
        b = chosen.candidate.blocks[0]  # words, if they are used
        fitted_on = FinalFit(fit.blocks[b], fit.counts[b], fit.tokenizer, fit.min_df, learned_rows)
        all_held_out = calibration.calibrated_on
        proba = all_held_out.proba if options.final and all_held_out is not None else None
        novelty = held_out_novelty(data, folds, fitted_on, proba)
        seconds = {"features": counted - started, "fit": time.perf_counter() - counted}
        return Fitted(
            outcome.vectorizer,
            outcome.model,
            calibration.calibrator,
            calibration.rule,
            settings,
            calibration.held_out,
            seconds,
            novelty=novelty,
            calibrated_on=all_held_out,
        )


@dataclass(frozen=True)
class _Chosen:
    """The settings chosen, the held-out logits they gave if these are known, and the names of what was tried."""

    candidate: Candidate
    logits: Floats | None
    tried: list[str]


@dataclass(frozen=True)
class _Outcome:
    """Fitted vectorizer and model, and the held-out logits, (n_held_out, n_outputs), of all folds in order."""

    vectorizer: Vectorizer
    model: Model
    logits: Floats | None


@dataclass(frozen=True)
class _Calibrated:
    """Calibrator, decision rule and held-out predictions, fitted on the held-out logits; see `Fitted`."""

    calibrator: Calibrator
    rule: DecisionRule
    held_out: HeldOut | None
    calibrated_on: HeldOut | None = None


def _prepare(recipe: Recipe, data: TrainingData, texts: pl.Series, options: FitOptions) -> NgramFit | TreeFit:
    """Count the n-grams of all texts, for a label tree if a linear SVM has too many classes.

    Raises:
        InputError: there are too many classes for the model, or nothing to learn from.

    """
    features, settings = recipe.features, recipe.model
    assert isinstance(features, NgramFeatures)
    tokenizer = options.tokenizer
    assert isinstance(settings, NgramModel)
    n_outputs = data.n_outputs
    many = n_outputs > MOST_DENSE_CLASSES
    as_tree = many and settings.kind == "linear-svm" and data.task is Task.MULTICLASS
    if many and settings.kind in LINEAR_MODELS and not as_tree:
        of_sets = data.task is Task.MULTILABEL
        raise InputError(
            f"`{recipe.recipe.name}` learns up to {MOST_DENSE_CLASSES:,} {'labels' if of_sets else 'classes'}, and "
            f"there are {n_outputs:,}: is it the right label column? The recipe "
            f"`{'complement-nb' if of_sets else 'fast'}` takes more."
        )
    n_bytes = int(texts.str.len_bytes().sum())
    large = n_bytes > _LARGE_BYTES or n_outputs > _MANY_OUTPUTS
    min_df = features.min_df
    if min_df == "auto":
        min_df = 1 if len(texts) < FEW_TEXTS else 2
    steps = Steps(options.progress)
    blocks, counts = _count_blocks(features, tokenizer, texts, min_df, options.feature_cache, steps, large=large)
    if not any(c.nnz for c in counts):
        where = "the texts" if min_df == 1 else f"{min_df:,} of the texts, as `features.min_df` requires"
        raise InputError(f"There is nothing to learn from: no word or sign occurs in {where}.")
    if as_tree:
        return TreeFit(recipe, data, tokenizer, min_df, blocks, counts, steps, options.seed)
    n_columns = sum(c.shape[1] for c in counts)
    needed = 8 * n_outputs * n_columns
    if needed > _COEFFICIENT_BYTES:
        raise InputError(
            f"{data.Y.shape[1]:,} classes times {n_columns:,} n-grams are too many to learn: they would take "
            f"{needed / 1e9:,.0f} GB of memory. Is it the right label column? Merge rare ones, or use fewer n-grams: "
            "`--set features.words=1` or a higher `features.min_df`."
        )
    tries = not large and n_bytes * n_outputs <= _TRIED_BYTES
    return NgramFit(features, tokenizer, settings, data, options.seed, min_df, tries, blocks, counts, steps)


def _count_blocks(
    features: NgramFeatures,
    tokenizer: Tokenizer,
    texts: pl.Series,
    min_df: int,
    cache: FeatureCache | None,
    steps: Steps,
    *,
    large: bool,
) -> tuple[list[Block], list[sp.csr_matrix]]:
    """Count the n-grams of a recipe; optional character n-grams are left out where they cannot help.

    They cannot in scripts written without spaces, where word n-grams are character n-grams, nor in large data.
    """
    counted: list[tuple[Block, sp.csr_matrix]] = []
    spaced = True

    def add(key: dict[str, Any], count: Callable[[], tuple[Block, sp.csr_matrix]]) -> Block:
        steps.begin(f"counting {'word' if 'words' in key else 'character'} n-grams")
        counted.append(count() if cache is None else cache.counted(key | {"min_df": min_df}, tokenizer, count))
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


def _choose(fit: NgramFit, folds: Folds) -> _Chosen:
    """Choose the settings on the held-out rows.

    First the blocks, then ``C`` or ``alpha``, then the weight of naive Bayes. A setting is replaced only by one that is
    better by more than the standard error of the difference over the held-out rows. As character n-grams mostly stay,
    all values are tried with them at once, on all cores.
    """
    default, words = fit.default, fit.words_alone
    tried = ["characters"] if words else []
    if fit.settings.tuned and default[1:]:
        tried.append(fit.settings.tuned)
    if fit.chooses_blend:
        tried.append("blend")
    held = np.concatenate([rows for _, rows in folds]) if fit.tries and folds and tried else np.empty(0, np.int64)
    Y, weights = fit.data.Y[held], fit.data.weights_of(held)
    if not len(held) or not (weights := weights * ~rows_left_out(fit.data.Y, folds)).any():
        return _Chosen(default[0], None, [])
    logits: dict[Candidate, Floats] = {}

    def add_logits(of: Sequence[Candidate]) -> None:
        candidates = [blended for candidate in of for blended in fit.blends(candidate)]
        logits.update(zip(candidates, fit.held_out_logits(folds, candidates, "choosing settings"), strict=True))

    add_logits([*default[::-1], *words[:1]])  # the largest C first, which takes longest

    def best(of: Sequence[Candidate]) -> Candidate:
        chosen, gain = of[0], 0.0
        reference = fit.data.task.row_scores(logits[chosen], Y)
        for candidate in of[1:]:
            mean, noise = _mean_and_error(fit.data.task.row_scores(logits[candidate], Y) - reference, weights)
            if mean > max(gain, noise):
                chosen, gain = candidate, mean
        return chosen

    chosen = best([default[0], *words[:1]])
    if chosen in words and words[1:]:
        add_logits(words[1:])
    chosen = best(fit.blends(best(words if chosen in words else default)))
    return _Chosen(chosen, logits[chosen], tried)


def _mean_and_error(differences: Floats, weights: Floats) -> tuple[float, float]:
    """Return the mean of weighted rows, (n,), and its standard error; a row of weight 2 counts as two."""
    mean = np.average(differences, weights=weights)
    variance = np.average(np.square(differences - mean), weights=weights)
    return float(mean), float(np.sqrt(variance)) / float(np.sqrt(weights.sum()))


def _learn(fit: NgramFit, folds: Folds, chosen: _Chosen, learned_rows: Ints | None, *, final: bool) -> _Outcome:
    """Learn from ``learned_rows``, or all, with the settings chosen, and compute the held-out logits."""
    candidate, logits = chosen.candidate, chosen.logits
    if not folds or logits is not None:
        return _Outcome(*fit.learn(learned_rows, candidate), logits)
    if not final and len(folds) == 1:  # the final model also predicts the held-out rows
        vectorizer, model = fit.learn(learned_rows, candidate)
        return _Outcome(vectorizer, model, fit.logits(vectorizer, model, folds[0][1], candidate.blocks))
    # No setting was chosen, so the two fits are independent.
    jobs: list[Callable[[], Any]] = [
        lambda: fit.held_out_logits(folds, [candidate])[0],
        lambda: fit.learn(learned_rows, candidate),
    ]
    logits, (vectorizer, model) = fit.run(jobs)
    return _Outcome(vectorizer, model, logits)


def _calibrate(recipe: Recipe, fit: NgramFit, folds: Folds, logits: Floats | None, how: str) -> _Calibrated:
    """Calibrate on the held-out rows; report only the validation rows among them if some were given."""
    if logits is None:
        return _Calibrated(uncalibrated(), DecisionRule(), None)
    data = fit.data
    held = np.concatenate([rows for _, rows in folds])
    calibrated = calibrate(recipe, data, folds, logits)
    every = shown = HeldOut(held, data.Y[held], calibrated.proba, how)
    if data.n_validation:
        given = held >= len(data) - data.n_validation
        shown = HeldOut(held[given], every.Y[given], every.proba[given], how)
    return _Calibrated(calibrated.calibrator, calibrated.rule, shown, every)
