"""Recipes: named training programmes, one TOML file each."""

from tagline.recipes.features import FEATURIZERS, MultihotFeatures, NgramFeatures, SequenceFeatures, WordFeatures
from tagline.recipes.load import format_recipe, load_recipe, make_recipe, recipe_names, setting_pairs
from tagline.recipes.models import (
    NETWORKS,
    AverageModel,
    ConvolutionalModel,
    DenseModel,
    EmbeddingModel,
    NetworkModel,
    NgramModel,
    RecurrentModel,
)
from tagline.recipes.schema import Protocol, Recipe
from tagline.recipes.training import Training

__all__ = [
    "FEATURIZERS",
    "NETWORKS",
    "AverageModel",
    "ConvolutionalModel",
    "DenseModel",
    "EmbeddingModel",
    "MultihotFeatures",
    "NetworkModel",
    "NgramFeatures",
    "NgramModel",
    "Protocol",
    "Recipe",
    "RecurrentModel",
    "SequenceFeatures",
    "Training",
    "WordFeatures",
    "format_recipe",
    "load_recipe",
    "make_recipe",
    "recipe_names",
    "setting_pairs",
]
