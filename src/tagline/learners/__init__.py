"""Recipes fitted to texts: choose on rows held out, calibrate, learn from all."""

from tagline.learners.base import Fitted, HeldOut, TrainingRecord, probabilities
from tagline.learners.fit import fit_recipe

__all__ = ["Fitted", "HeldOut", "TrainingRecord", "fit_recipe", "probabilities"]
