"""A recipe of a network: word ids, a training watched on rows held out, and one from scratch on all rows."""

import hashlib
import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import scipy.sparse as sp

from tagline.errors import InputError
from tagline.features.encoder import Encoder
from tagline.features.sequences import INDEX_FROM, Sequences, WordIndex, check_range
from tagline.features.vectors.load import Vectors
from tagline.learners.architectures import is_masked, layers_of
from tagline.learners.base import (
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
from tagline.learners.feature_cache import Encodings
from tagline.learners.holdout import hold_out
from tagline.learners.word_vectors import cover, find_vectors, fingerprint, start_table
from tagline.models.network.network import Inputs, Network
from tagline.recipes import (
    NETWORKS,
    EmbeddingModel,
    MultihotFeatures,
    NetworkModel,
    NgramFeatures,
    Recipe,
    SequenceFeatures,
    Training,
)
from tagline.training import Callback, Checkpoint, EarlyStopping, History, KeepWeights, Rows, generator, train

_ADVICE = "raise `features.num_words`, or give 2, the unknown word, for rarer ones"

_FEW_STEPS = 60  # in which a network hardly leaves its beginning
_FAR = 1.5  # times as many epochs as were best, or as few


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
    encodings: Encodings | None
    seconds_encoding: float = 0.0
    vectors: Vectors | None = None
    vectors_of: dict[str, Any] = field(default_factory=dict)

    @property
    def frozen(self) -> bool:
        """Whether word vectors stay as they were handed over."""
        return isinstance(self.model, EmbeddingModel) and self.model.frozen

    @property
    def learns_words(self) -> bool:
        """Whether the words come from the texts, and not from an index handed over."""
        handed = self.word_index is not None and self.features.word_index == "data"
        return isinstance(self.texts, pl.Series) and not handed

    def encoder(self, rows: Ints) -> Encoder:
        """Return the encoder with the index handed over, or one learnt from these rows."""
        features = self.features
        index = None
        if isinstance(self.texts, pl.Series) and self.learns_words:
            index = WordIndex.fit(self.texts[rows], features.num_words, stop_words=features.stop_words)
        elif self.word_index is not None:
            index = WordIndex.of(self.word_index).restrict(features.num_words)
        n_ids = _n_ids(features.num_words, None if index is None else len(index.words))
        if isinstance(features, SequenceFeatures):
            row = (features.maxlen, features.padding, features.truncating)
            return Encoder(index, "sequence", n_ids, *row, stop_words=features.stop_words)
        return Encoder(index, "multihot", n_ids, stop_words=features.stop_words)

    def _knows_words(self) -> bool:
        """Say whether the word index handed over is the one to use."""
        return self.word_index is not None and (self.features.word_index == "data" or isinstance(self.texts, Sequences))

    def encode(self, encoder: Encoder) -> Inputs:
        """Return the inputs of all texts."""
        began = time.perf_counter()
        texts = self.texts
        X: Inputs = encoder.transform_ids(texts) if isinstance(texts, Sequences) else encoder.transform(texts)
        self.seconds_encoding += time.perf_counter() - began
        return X

    def encoded(self, rows: Ints) -> tuple[Encoder, Inputs]:
        """Return the encoder for what is learnt from these rows, and the inputs of all texts."""

        def encode() -> tuple[Encoder, Inputs]:
            encoder = self.encoder(rows)
            return encoder, self.encode(encoder)

        if self.encodings is None:
            return encode()
        learnt = hashlib.sha256(np.ascontiguousarray(rows).data).hexdigest() if self.learns_words else ""
        return self.encodings.encoded({"features": self.features.model_dump(mode="json"), "learnt": learnt}, encode)

    def take_vectors(self, encoders: Sequence[Encoder], rows: Ints, unlabelled: pl.Series | None) -> None:
        """Read or learn the vectors that networks with these encoders start from; ``rows`` are those to learn from."""
        texts = self.texts[rows] if isinstance(self.texts, pl.Series) else self.texts
        self.vectors = find_vectors(
            self.model,
            encoders,
            texts,
            unlabelled,
            seed=self.seed,
            callbacks=self.callbacks,
            checkpoints=self.checkpoints,
        )
        if self.vectors is not None:
            self.model = self.model.model_copy(update={"embedding": self.vectors.size})
        if unlabelled is not None:
            of = {"unlabelled": len(unlabelled), "training": len(rows), "fingerprint": fingerprint(unlabelled)}
            self.vectors_of = {"learnt_from": of}

    def cover(self, encoder: Encoder, X: Inputs) -> dict[str, Any]:
        """Return what is told of the vectors, and of what they cover of the rows ``X``."""
        assert self.vectors is not None
        return cover(self.vectors, encoder, X, frozen=self.frozen) | self.vectors_of

    def draw(self, encoder: Encoder) -> Network:
        """Return the network with weights to start from."""
        n_outputs = 1 if self.Y.shape[1] == 2 and not self.multilabel else self.Y.shape[1]
        layers = layers_of(self.model, encoder.num_words, n_outputs)
        network = Network.draw(layers, generator("weights", self.seed), masked=is_masked(self.model))
        if self.vectors is not None:
            network.weights[0][0][...] = start_table(self.vectors, encoder, generator("vectors", self.seed))
        return network

    def rows(self, X: Inputs, rows: Ints) -> Rows:
        """Return some rows as the loop takes them."""
        Y = self.Y[rows]
        targets = Y if self.multilabel or Y.shape[1] > 2 else Y[:, 1:]
        weights = self.weights[rows].astype(np.float32)
        return Rows(X[rows], targets.astype(np.float32), None if (weights == 1).all() else weights)

    def train(
        self, network: Network, rows: Rows, epochs: int, phase: str, validation: Rows | None, own: list[Callback]
    ) -> History:
        """Train, from a checkpoint if there is one."""
        callbacks = [*own, *self.callbacks]
        if self.checkpoints is not None:
            callbacks.append(Checkpoint(self.checkpoints, callbacks[:], self._fingerprint(network, rows, validation)))
        return train(
            network,
            rows,
            self.training.model_copy(update={"epochs": epochs}),
            validation=validation,
            multilabel=self.multilabel,
            l2=self.model.l2,
            frozen=int(self.frozen),
            seed=self.seed,
            phase=phase,
            callbacks=callbacks,
        )

    def _fingerprint(self, network: Network, rows: Rows, validation: Rows | None) -> str:
        """Return a digest of all that a training depends on beside its phase."""
        settings = [self.training.model_dump(mode="json"), network.settings(), self.model.l2, self.seed]
        if self.vectors is not None:
            settings += [self.vectors.fingerprint, self.frozen]
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
        for part in (rows, validation):
            if part is None:
                continue
            X: Any = part.X
            inputs = (X.indptr, X.indices) if sp.issparse(X) else (X,)
            for array in (*inputs, part.targets, *([] if part.weights is None else [part.weights])):
                digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


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
    folds: Sequence[tuple[Ints, Ints]] | None,
    encodings: Encodings | None,
    final: bool,
    unlabelled: pl.Series | None,
) -> Fitted:
    """Fit a network; see `fit_recipe`."""
    started = time.perf_counter()
    _check_ids(recipe, texts, word_index, n_given)
    counted = np.flatnonzero(weights > 0)  # a row of weight 0 is as good as absent
    if len(counted) < len(weights):
        n_given = int((counted >= len(weights) - n_given).sum())
        groups = None if groups is None else groups[counted]
        texts = texts[counted] if isinstance(texts, pl.Series) else _some(texts, counted)
        Y, weights = Y[counted], weights[counted]
    protocol, training, features = recipe.protocol, recipe.training, recipe.features
    assert training is not None
    assert isinstance(recipe.model, NETWORKS)
    assert not isinstance(features, NgramFeatures)
    fit = _Fit(
        features,
        recipe.model,
        training,
        texts,
        Y,
        weights,
        multilabel,
        seed,
        word_index,
        callbacks,
        checkpoints,
        encodings,
    )
    how = "the rows named"
    if folds is None:
        folds, how = hold_out(recipe, texts, Y, groups, n_given, seed, cheap=False)
    everything = np.arange(len(Y))
    learnt, held = folds[0] if folds else (everything, everything[:0])

    encoder, X = fit.encoded(learnt)
    last = encoder
    if final and len(held) and protocol.refit != "no" and fit.learns_words:
        last = fit.encoder(everything)
    fit.take_vectors([encoder, last], learnt, unlabelled)
    for callback in callbacks if fit.vectors is not None else ():
        callback.on_vectors(fit.cover(encoder, X[learnt]))
    network = fit.draw(encoder)
    validation = fit.rows(X, held) if len(held) else None
    refit_epochs = min(protocol.refit, training.epochs) if isinstance(protocol.refit, int) else None
    keep = KeepWeights(refit_epochs)
    own: list[Callback] = [keep, *([EarlyStopping(training.early_stopping)] if training.early_stopping else [])]
    epochs = training.epochs if validation is not None or refit_epochs is None else refit_epochs
    history = fit.train(network, fit.rows(X, learnt), epochs, "search", validation, own)
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
        held_out = HeldOut(counted[held], Y[held], proba, how)

    refit_history = None
    if final and validation is not None and protocol.refit != "no":
        refit_epochs = refit_epochs or history.best_epoch
        assert refit_epochs is not None
        if last is not encoder:
            encoder, X = last, fit.encode(last)
        network = fit.draw(encoder)
        refit_history = fit.train(network, fit.rows(X, everything), refit_epochs, "refit", None, [])
        learnt = everything

    findings = history.findings(_chance(Y[learnt], multilabel) if _is_entropy(training) else None)
    if training.early_stopping and validation is None:
        findings.append(
            "Early stopping had nothing to watch, as no rows were held out: the network learnt for all "
            f"{len(history):,} epochs."
        )
    findings += _of_protocol(training, history, None if refit_history is None else len(refit_history), len(learnt))
    record = TrainingRecord(
        history=history.columns,
        refit_history=None if refit_history is None else refit_history.columns,
        best_epoch=history.best_epoch,
        findings=findings,
        layers=network.summary((encoder.num_words,) if encoder.maxlen is None else (encoder.maxlen,)),
    )
    chosen: dict[str, Any] = {
        "num_words": encoder.num_words,
        **({} if encoder.maxlen is None else {"maxlen": encoder.maxlen}),
        "vocabulary": _vocabulary(fit, len(learnt)),
        **({} if fit.vectors is None else {"vectors": fit.cover(encoder, X[learnt])}),
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


def _check_ids(
    recipe: Recipe, texts: pl.Series | Sequences, word_index: Mapping[str, int] | None, n_given: int
) -> None:
    """Raise InputError that names an id beyond those known, by its row among the train or the validation rows."""
    if not isinstance(texts, Sequences):
        return
    assert not isinstance(recipe.features, NgramFeatures)
    n_ids = _n_ids(recipe.features.num_words, None if word_index is None else len(word_index))
    rows = np.arange(len(texts))
    check_range(_some(texts, rows[: len(rows) - n_given]), n_ids, _ADVICE)
    try:
        check_range(_some(texts, rows[len(rows) - n_given :]), n_ids, _ADVICE)
    except InputError as error:
        raise InputError(f"In the validation rows: {error}") from None


def _n_ids(num_words: int, n_known: int | None) -> int:
    """Return how many ids there are, of an index of so many words or of none."""
    return num_words if n_known is None else min(num_words, n_known + INDEX_FROM + 1)


def _some(texts: Sequences, rows: Ints) -> Sequences:
    """Return the sequences of some rows, in order."""
    kept = np.zeros(len(texts), dtype=bool)
    kept[rows] = True
    return Sequences(texts.ids[np.repeat(kept, texts.lengths)], texts.lengths[kept])


def _of_protocol(training: Training, history: History, refitted: int | None, n_rows: int) -> list[str]:
    """Return in sentences where the programme hardly fits this data."""
    found = []
    best = history.best_epoch
    if refitted is not None and best is not None and not 1 / _FAR <= best / refitted <= _FAR:
        found.append(
            f"The recipe trains again for {refitted} epochs, and validation loss was lowest at epoch {best}: "
            "`--set protocol.refit=best-epoch` takes that."
        )
    epochs = refitted or len(history)
    steps = epochs * math.ceil(n_rows / training.batch_size)
    if steps < _FEW_STEPS:
        found.append(
            f"{n_rows:,} texts in batches of {training.batch_size:,} are {steps} steps in {epochs} epochs, too few to "
            "learn much: take a smaller `training.batch_size`, more epochs, or the recipe `fast`."
        )
    return found


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
    if not fit.learns_words:
        return "the word index of the data set"
    return f"learnt from {n_learnt:,} texts"
