"""Quantization: scales and weights in 8 or 16 bits.

The weight of an n-gram is its scale times its coefficient: what it adds to a logit before the row is divided by its
length. Weights are w = l |l| step, with an integer l, the level, from -127 to 127 (or -32,767 to 32,767) and a step
for each output; scales are s = l² step with l from 0 to 255 (or 65,535). Quadratic levels are dense near 0, where most
weights are, and exact to compute, so that a browser gets the same numbers to the last bit.
"""

from copy import copy
from dataclasses import dataclass, replace

import numpy as np

from tagline.classifier import TextClassifier
from tagline.features.vectorizer import Vectorizer
from tagline.models import LinearModel
from tagline.task import Floats, Ints


@dataclass(frozen=True)
class Levels:
    """The levels of one block: ``scale`` (n_columns,) and its step; ``weights`` (n_columns, n_outputs) and theirs."""

    scale: Ints
    scale_step: float
    weights: Ints
    weight_steps: Floats

    def scales(self) -> Floats:
        """Return the dequantized scales, (n_columns,)."""
        return np.asarray(self.scale * self.scale * self.scale_step)

    def products(self) -> Floats:
        """Return the dequantized weights, (n_columns, n_outputs)."""
        return np.asarray(self.weights * np.abs(self.weights) * self.weight_steps)


def quantize(vectorizer: Vectorizer, model: LinearModel, bits: int) -> list[Levels]:
    """Return the levels of each block; ``bits`` is 8 or 16."""
    highest_scale, highest_weight = 2**bits - 1, 2 ** (bits - 1) - 1
    levels = []
    offset = 0
    for scale in vectorizer.scales:
        exact = scale.astype(np.float64)
        weights = exact[:, np.newaxis] * model.coef[offset : offset + len(scale)].astype(np.float64)
        scale_step = float(exact.max(initial=0.0)) / highest_scale**2 or 1.0
        weight_steps = np.abs(weights).max(axis=0, initial=0.0) / highest_weight**2
        weight_steps[weight_steps == 0.0] = 1.0
        levels.append(
            Levels(
                # A scale above 0 must not become 0: the n-gram would have a weight without adding to the length.
                np.maximum(np.rint(np.sqrt(exact / scale_step)), exact > 0).astype(np.int64),
                scale_step,
                (np.sign(weights) * np.rint(np.sqrt(np.abs(weights) / weight_steps))).astype(np.int64),
                weight_steps,
            )
        )
        offset += len(scale)
    return levels


def dequantize(clf: TextClassifier, vectorizer: Vectorizer, model: LinearModel, levels: list[Levels]) -> TextClassifier:
    """Return ``clf`` as in the page: with these features, and the scales and coefficients of ``levels``.

    ``vectorizer`` and ``model`` are the pruned ones that were quantized.
    """
    scales, coefs = [], []
    for block in levels:
        # Rows that are not divided by their length need no scales, only weights.
        scale = block.scales() if vectorizer.unit else np.ones(len(block.scale))
        scales.append(scale.astype(np.float32))
        coefs.append(block.products() / np.where(scale > 0, scale, 1.0)[:, np.newaxis])
    page = copy(clf)
    page.vectorizer_ = replace(vectorizer, scales=tuple(scales))
    page.model_ = LinearModel(np.vstack(coefs).astype(np.float32), model.intercept)
    page.n_features_ = page.vectorizer_.n_columns
    return page
