"""A recipe of a network: word ids, a training watched on rows held out, and one from scratch on all rows."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tagline.features.encoder import Encoder
from tagline.features.sequences import INDEX_FROM, Sequences, WordIndex
from tagline.fitting.fitted import (
    Bools,
    Fitted,
    Floats,
    HeldOut,
    Ints,
    TrainingRecord,
    best_threshold,
    probabilities,
    temperature_of,
)
from tagline.fitting.hold_out import hold_out
from tagline.models.architectures import is_masked, layers_of
from tagline.models.networks import Inputs, Network
from tagline.recipes import (
    NETWORKS,
    MultihotFeatures,
    NetworkModel,
    NgramFeatures,
    Recipe,
    SequenceFeatures,
    Training,
)
from tagline.training import Callback, Checkpoint, EarlyStopping, History, KeepWeights, Rows, train

_INIT = 3  # the generator of the weights; the loop has 1 and 2


@dataclass
class _Fit:
    """One fit of a recipe: what its trainings share."""

    features: MultihotFeatures | SequenceFeatures
    model: NetworkModel
    training: Training
    texts: pl.Series | Sequences
    Y: Bools
    weights: Floats
    multilabel: bool
    seed: int
    word_index: Mapping[str, int] | None
    callbacks: Sequence[Callback]
    checkpoints: Path | None
    seconds_encoding: float = 0.0

    def encoder(self, rows: Ints) -> Encoder:
        """Return the encoder with the index handed over, or one learnt from these rows."""
        features = self.features
        index = None
        if self.word_index is not None and (features.word_index == "data" or isinstance(self.texts, Sequences)):
            index = WordIndex.of(self.word_index).restrict(features.num_words)
        elif isinstance(self.texts, pl.Series):
            index = WordIndex.fit(self.texts[rows], features.num_words, stop_words=features.stop_words)
        n_ids = features.num_words if index is None else min(features.num_words, len(index.words) + INDEX_FROM + 1)
        if isinstance(features, SequenceFeatures):
            row = (features.maxlen, features.padding, features.truncating)
            return Encoder(index, "sequence", n_ids, *row, stop_words=features.stop_words)
        return Encoder(index, "multihot", n_ids, stop_words=features.stop_words)

    def encode(self, encoder: Encoder) -> Inputs:
        """Return the inputs of all texts."""
        began = time.perf_counter()
        texts = self.texts
        X: Inputs = encoder.transform_ids(texts) if isinstance(texts, Sequences) else encoder.transform(texts)
        self.seconds_encoding += time.perf_counter() - began
        return X

    def draw(self, encoder: Encoder) -> Network:
        """Return the network with weights to start from."""
        n_outputs = 1 if self.Y.shape[1] == 2 and not self.multilabel else self.Y.shape[1]
        layers = layers_of(self.model, encoder.num_words, n_outputs)
        return Network.draw(layers, np.random.default_rng([_INIT, self.seed]), masked=is_masked(self.model))

    def rows(self, X: Inputs, rows: Ints) -> Rows:
        """Return some rows as the loop takes them."""
        Y = self.Y[rows]
        targets = Y if self.multilabel or Y.shape[1] > 2 else Y[:, 1:]
        weights = self.weights[rows].astype(np.float32)
        return Rows(X[rows], targets.astype(np.float32), None if (weights == 1).all() else weights)

    def counted(self, rows: Ints) -> Ints:
        """Return the rows that have a weight: one of weight 0 is as good as absent."""
        return rows[self.weights[rows] > 0]

    def train(
        self, network: Network, rows: Rows, epochs: int, phase: str, validation: Rows | None, own: list[Callback]
    ) -> History:
        """Train, from a checkpoint if there is one."""
        callbacks = [*own, *self.callbacks]
        if self.checkpoints is not None:
            callbacks.insert(0, Checkpoint(self.checkpoints, own))
        return train(
            network,
            rows,
            self.training.model_copy(update={"epochs": epochs}),
            validation=validation,
            multilabel=self.multilabel,
            l2=self.model.l2,
            seed=self.seed,
            phase=phase,
            callbacks=callbacks,
        )


def fit_network(
    recipe: Recipe,
    texts: pl.Series | Sequences,
    Y: Bools,
    weights: Floats,
    *,
    multilabel: bool,
    seed: int,
    n_given: int,
    groups: pl.Series | None,
    word_index: Mapping[str, int] | None,
    callbacks: Sequence[Callback],
    checkpoints: Path | None,
) -> Fitted:
    """Fit a network; see `fit_recipe`."""
    started = time.perf_counter()
    protocol, training, features = recipe.protocol, recipe.training, recipe.features
    assert training is not None
    assert isinstance(recipe.model, NETWORKS)
    assert not isinstance(features, NgramFeatures)
    fit = _Fit(
        features, recipe.model, training, texts, Y, weights, multilabel, seed, word_index, callbacks, checkpoints
    )
    folds, how = hold_out(recipe, texts, Y, groups, n_given, seed, cheap=False)
    everything = np.arange(len(Y))
    learnt, held = folds[0] if folds else (everything, everything[:0])

    encoder = fit.encoder(learnt)
    X = fit.encode(encoder)
    network = fit.draw(encoder)
    validation = fit.rows(X, held) if len(held) else None
    refit_epochs = protocol.refit if isinstance(protocol.refit, int) else None
    keep = KeepWeights(refit_epochs if refit_epochs and refit_epochs <= training.epochs else None)
    own: list[Callback] = [keep, *([EarlyStopping(training.early_stopping)] if training.early_stopping else [])]
    epochs = training.epochs if validation is not None or refit_epochs is None else refit_epochs
    history = fit.train(network, fit.rows(X, fit.counted(learnt)), epochs, "search", validation, own)
    puts_back = validation is not None and bool(training.early_stopping or protocol.refit != "no")
    if puts_back:
        keep.put_back(network)

    temperature, threshold, held_out = 1.0, 0.5, None
    if validation is not None:
        logits = network.logits(validation.X)
        if protocol.calibration == "temperature":
            temperature = temperature_of(logits, Y[held], multilabel)
        proba = probabilities(logits / temperature, multilabel=multilabel)
        if multilabel:
            threshold = best_threshold(Y[held], proba)
        held_out = HeldOut(held, Y[held], proba, how)

    refit_history = None
    if validation is not None and protocol.refit != "no":
        refit_epochs = refit_epochs or history.best_epoch
        assert refit_epochs is not None
        if isinstance(texts, pl.Series) and (word_index is None or features.word_index == "train"):
            encoder = fit.encoder(everything)
            X = fit.encode(encoder)
        network = fit.draw(encoder)
        refit_history = fit.train(network, fit.rows(X, fit.counted(everything)), refit_epochs, "refit", None, [])
        learnt = everything

    record = TrainingRecord(
        history=history.columns,
        refit_history=None if refit_history is None else refit_history.columns,
        best_epoch=history.best_epoch,
        findings=history.findings(_chance(Y[learnt], multilabel) if _is_entropy(training) else None),
        layers=network.summary((encoder.num_words,) if encoder.maxlen is None else (encoder.maxlen,)),
    )
    chosen: dict[str, Any] = {
        "num_words": encoder.num_words,
        **({} if encoder.maxlen is None else {"maxlen": encoder.maxlen}),
        "vocabulary": _vocabulary(fit, len(learnt)),
        "epochs": len(refit_history) if refit_history is not None else keep.epoch if puts_back else len(history),
        "temperature": round(temperature, 6),
        "threshold": threshold,
        "held_out": {"rows": len(held), "how": how} if len(held) else None,
        "tried": ["epochs"] if puts_back and not isinstance(protocol.refit, int) else [],
        "learnt_from": len(learnt),
    }
    seconds = {
        "features": fit.seconds_encoding,
        "fit": time.perf_counter() - started - fit.seconds_encoding,
    }
    return Fitted(encoder, network, temperature, threshold, chosen, held_out, seconds, record)


def _is_entropy(training: Training) -> bool:
    return training.loss in ("crossentropy", "binary_crossentropy", "categorical_crossentropy")


def _chance(Y: Bools, multilabel: bool) -> float:
    """Return the cross-entropy of always answering with the shares of the classes."""
    shares = Y.mean(axis=0).clip(1e-12, 1 - 1e-12)
    if multilabel:
        return float(-(shares * np.log(shares) + (1 - shares) * np.log(1 - shares)).mean())
    return float(-(shares * np.log(shares)).sum())


def _vocabulary(fit: _Fit, n_learnt: int) -> str:
    if isinstance(fit.texts, Sequences):
        return "that of the ids given"
    if fit.word_index is not None and fit.features.word_index == "data":
        return "the word index of the data set"
    return f"learnt from {n_learnt:,} texts"
