"""Recipes of networks: word ids, a training measured on held-out rows, and one from scratch on all rows."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tagline.calibration import uncalibrated
from tagline.decisions.rule import DecisionRule
from tagline.errors import InputError
from tagline.features.encoder import Encoder
from tagline.features.tokenizer import Tokenizer
from tagline.features.vectors.load import Vectors
from tagline.learners.base import (
    FitOptions,
    Fitted,
    HeldOut,
    TrainingData,
    TrainingRecord,
    calibrate,
    check_calibration,
    describe_held_out,
)
from tagline.learners.holdout import hold_out
from tagline.learners.network.inputs import NetworkInputs, check_ids
from tagline.learners.network.word_vectors import cover, find_vectors, fingerprint, notify
from tagline.models.network.network import Inputs
from tagline.recipes import EmbeddingModel, Recipe, Training, WordFeatures
from tagline.task import Bools, Ints, Task

if TYPE_CHECKING:
    from tagline.training import History

_FEW_STEPS = 60  # in which a network hardly leaves its start
_FAR = 1.5  # times as many epochs as were best, or as few


class NetworkLearner:
    """Fits networks to word ids or multi-hot rows."""

    def fit(self, recipe: Recipe, data: TrainingData, options: FitOptions) -> Fitted:
        """Fit a network; see `Learner`."""
        if options.tokenizer != Tokenizer():
            raise InputError(
                "`tokenizer` and `stop_words` are for n-grams: a network splits texts as Keras does. The setting "
                "`features.stop_words` leaves out the most common English words."
            )
        from tagline.learners.network.training import NetworkTraining  # it imports torch, which takes seconds

        started = time.perf_counter()
        features, protocol = recipe.features, recipe.protocol
        assert isinstance(features, WordFeatures)
        check_ids(features, data)
        check_calibration(protocol.calibration, data.task)
        folds, how = options.folds, "the rows named"
        if folds is None:
            folds, how = hold_out(recipe, data, options.seed, n_folds=1)
        everything = np.arange(len(data))
        learned, held = folds[0] if folds else (everything, everything[:0])
        refits = options.final and len(held) > 0 and protocol.refit != "no"

        inputs = NetworkInputs(features, data.texts, data.word_index, options.feature_cache)
        encoder, X = inputs.encoded(learned)
        last = inputs.encoder(everything) if refits and inputs.learns_words else encoder
        start = _find_start(recipe, [encoder, last], data, options, learned)
        if start is not None:
            recipe = _with_size(recipe, start.vectors)
            notify(options.callbacks, "on_vectors", start.facts(encoder, X[learned]))
        training = NetworkTraining(recipe, data, options, None if start is None else start.vectors)
        network = training.draw(encoder)
        history, restored = training.search(network, X, learned, held)

        calibrator, rule, held_out = uncalibrated(), DecisionRule(), None
        if len(held):
            calibrated = calibrate(recipe, data, folds[:1], network.logits(X[held]))
            calibrator, rule = calibrated.calibrator, calibrated.rule
            held_out = HeldOut(held, data.Y[held], calibrated.proba, how)

        refit_history = None
        if refits:
            if last is not encoder:
                encoder, X = last, inputs.encode(last)
            network = training.draw(encoder)
            refit_history = training.refit(network, X, history.best_epoch)
            learned = everything

        assert recipe.training is not None
        record = TrainingRecord(
            history=history.columns,
            refit_history=None if refit_history is None else refit_history.columns,
            best_epoch=history.best_epoch,
            findings=_findings(recipe, data, history, refit_history, learned),
            layers=network.summary((encoder.num_words,) if encoder.maxlen is None else (encoder.maxlen,)),
        )
        chosen: dict[str, Any] = {
            "num_words": encoder.num_words,
            **({} if encoder.maxlen is None else {"maxlen": encoder.maxlen}),
            "vocabulary": inputs.vocabulary(len(learned)),
            **({} if start is None else {"vectors": start.facts(encoder, X[learned])}),
            "epochs": len(refit_history) if refit_history is not None else restored or len(history),
            **calibrator.chosen(),
            "threshold": rule.to_json(),
            "held_out": describe_held_out(data.Y, folds[:1], how) if len(held) else None,
            "tried": ["epochs"] if restored is not None and not isinstance(protocol.refit, int) else [],
            "learnt_from": len(learned),
        }
        seconds = {"features": inputs.seconds, "fit": time.perf_counter() - started - inputs.seconds}
        return Fitted(encoder, network, calibrator, rule, chosen, held_out, seconds, record, calibrated_on=held_out)


@dataclass(frozen=True, eq=False)
class _Start:
    """Initial word vectors of networks; ``learnt_from`` describes the texts that they were trained on, if any."""

    vectors: Vectors
    frozen: bool
    learnt_from: dict[str, Any]

    def facts(self, encoder: Encoder, X: Inputs) -> dict[str, Any]:
        """Return what is recorded of the vectors, and of what they cover of the rows ``X``."""
        return cover(self.vectors, encoder, X, frozen=self.frozen) | self.learnt_from


def _find_start(
    recipe: Recipe, encoders: Sequence[Encoder], data: TrainingData, options: FitOptions, rows: Ints
) -> _Start | None:
    """Read or learn the vectors that networks with these encoders start from; ``rows`` are those to learn from."""
    model = recipe.model
    if not isinstance(model, EmbeddingModel):
        return None
    texts = data.texts[rows] if isinstance(data.texts, pl.Series) else data.texts
    vectors = find_vectors(model, encoders, texts, data.unlabelled, options)
    if vectors is None:
        return None
    learnt_from = {}
    if data.unlabelled is not None:
        n, of = len(data.unlabelled), fingerprint(data.unlabelled)
        learnt_from = {"learnt_from": {"unlabelled": n, "training": len(rows), "fingerprint": of}}
    return _Start(vectors, model.frozen, learnt_from)


def _with_size(recipe: Recipe, vectors: Vectors) -> Recipe:
    """Return the recipe with the size of its vectors."""
    model = recipe.model.model_copy(update={"embedding": vectors.size})
    return recipe.model_copy(update={"model": model})


def _findings(
    recipe: Recipe, data: TrainingData, history: "History", refit_history: "History | None", learned: Ints
) -> list[str]:
    """Return in sentences where the network overfits or underfits, and where the recipe hardly fits this data."""
    training = recipe.training
    assert training is not None
    findings = history.findings(_chance(data.Y[learned], data.task) if _is_entropy(training) else None)
    if training.early_stopping and history.best_epoch is None:
        findings.append(
            "Early stopping had nothing to measure, as no rows were held out: the network was trained for all "
            f"{len(history):,} epochs."
        )
    refitted = None if refit_history is None else len(refit_history)
    best = history.best_epoch
    if refitted is not None and best is not None and not 1 / _FAR <= best / refitted <= _FAR:
        findings.append(
            f"The recipe trains again for {refitted} epochs, and validation loss was lowest at epoch {best}: "
            "`--set protocol.refit=best-epoch` takes that."
        )
    epochs = refitted or len(history)
    steps = epochs * math.ceil(len(learned) / training.batch_size)
    if steps < _FEW_STEPS:
        findings.append(
            f"{len(learned):,} texts in batches of {training.batch_size:,} are {steps} steps in {epochs} epochs, too "
            "few to learn much: take a smaller `training.batch_size`, more epochs, or the recipe `fast`."
        )
    return findings


def _is_entropy(training: Training) -> bool:
    return training.loss in ("crossentropy", "binary_crossentropy", "categorical_crossentropy")


def _chance(Y: Bools, task: Task) -> float:
    """Return the cross-entropy of always answering with the shares of the classes."""
    shares = Y.mean(axis=0).clip(1e-12, 1 - 1e-12)
    if task is Task.MULTILABEL:
        return float(-(shares * np.log(shares) + (1 - shares) * np.log(1 - shares)).mean())
    return float(-(shares * np.log(shares)).sum())
