"""Recipes fitted to texts: choose on rows held out, calibrate, learn from all."""

from tagline.fitting.fit import fit_recipe
from tagline.fitting.fitted import Fitted, HeldOut, TrainingRecord, probabilities

__all__ = ["Fitted", "HeldOut", "TrainingRecord", "fit_recipe", "probabilities"]
