"""One fit's trainings of a network, on PyTorch: on the rows not held out, and again on all rows."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from tagline.features.encoder import Encoder
from tagline.features.vectors.load import Vectors
from tagline.learners.base import FitOptions, TrainingData
from tagline.learners.network.architectures import is_masked, layers_of
from tagline.learners.network.word_vectors import start_table
from tagline.models.network.network import Inputs, Network
from tagline.recipes import NETWORKS, EmbeddingModel, NetworkModel, Recipe, Training
from tagline.task import Ints
from tagline.training import (
    Callback,
    Checkpoint,
    EarlyStopping,
    History,
    KeepWeights,
    Rows,
    TrainingOptions,
    generator,
    train,
)


@dataclass(frozen=True, eq=False)
class NetworkTraining:
    """The trainings of one fit; ``vectors`` are the initial word vectors of the networks."""

    recipe: Recipe
    data: TrainingData
    options: FitOptions
    vectors: Vectors | None

    @property
    def _model(self) -> NetworkModel:
        assert isinstance(self.recipe.model, NETWORKS)
        return self.recipe.model

    @property
    def _training(self) -> Training:
        assert self.recipe.training is not None
        return self.recipe.training

    @property
    def _frozen(self) -> bool:
        return isinstance(self._model, EmbeddingModel) and self._model.frozen

    def draw(self, encoder: Encoder) -> Network:
        """Return the network with weights to start from."""
        layers = layers_of(self._model, encoder.num_words, self.data.n_outputs)
        network = Network.draw(layers, generator("weights", self.options.seed), masked=is_masked(self._model))
        if self.vectors is not None:
            rng = generator("vectors", self.options.seed)
            network.weights[0][0][...] = start_table(self.vectors, encoder, rng)
        return network

    def search(self, network: Network, X: Inputs, learned: Ints, held_out: Ints) -> tuple[History, int | None]:
        """Train on the rows ``learned``, and measure the held-out rows after each epoch.

        If these choose something, the network gets back the weights of the best epoch, or of the last one that the
        refit is to have. Return the history and the number of that epoch, None if the weights are the last ones.
        """
        training, refit = self._training, self.recipe.protocol.refit
        n_epochs = min(refit, training.epochs) if isinstance(refit, int) else None
        keep = KeepWeights(n_epochs)
        own: list[Callback] = [keep, *([EarlyStopping(training.early_stopping)] if training.early_stopping else [])]
        validation = self._rows(X, held_out) if len(held_out) else None
        epochs = training.epochs if validation is not None or n_epochs is None else n_epochs
        history = self._train(network, self._rows(X, learned), epochs, "search", validation, own)
        if validation is None or not (training.early_stopping or refit != "no"):
            return history, None
        keep.put_back(network)
        return history, keep.epoch

    def refit(self, network: Network, X: Inputs, best_epoch: int | None) -> History:
        """Train on all rows, for as many epochs as the recipe names or as were best."""
        refit = self.recipe.protocol.refit
        epochs = min(refit, self._training.epochs) if isinstance(refit, int) else best_epoch
        assert epochs is not None
        return self._train(network, self._rows(X, np.arange(len(self.data))), epochs, "refit", None, [])

    def _rows(self, X: Inputs, rows: Ints) -> Rows:
        """Return some rows as the loop takes them."""
        data = self.data
        targets = data.task.targets(data.Y[rows]).astype(np.float32)
        weights = None if data.loss_weights is None else data.loss_weights[rows].astype(np.float32)
        return Rows(X[rows], targets, None if weights is None or (weights == 1).all() else weights)

    def _train(
        self, network: Network, rows: Rows, epochs: int, phase: str, validation: Rows | None, own: list[Callback]
    ) -> History:
        """Train, from a checkpoint if there is one."""
        callbacks = [*own, *self.options.callbacks]
        if self.options.checkpoints is not None:
            fingerprint = self._fingerprint(network, rows, validation)
            callbacks.append(Checkpoint(self.options.checkpoints, callbacks[:], fingerprint))
        options = TrainingOptions(self.data.task, self._model.l2, int(self._frozen), self.options.seed, phase)
        training = self._training.model_copy(update={"epochs": epochs})
        return train(network, rows, training, options=options, validation=validation, callbacks=callbacks)

    def _fingerprint(self, network: Network, rows: Rows, validation: Rows | None) -> str:
        """Return a digest of all that a training depends on, except its phase."""
        settings = [
            self._training.model_dump(mode="json"),
            network.settings(),
            self._model.l2,
            self.options.seed,
        ]
        if self.vectors is not None:
            settings += [self.vectors.fingerprint, self._frozen]
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
        for part in (rows, validation):
            if part is None:
                continue
            X: Any = part.X
            inputs = (X.indptr, X.indices) if sp.issparse(X) else (X,)
            for array in (*inputs, part.targets, *([] if part.weights is None else [part.weights])):
                digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()
