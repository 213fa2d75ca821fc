"""Linear models: linear SVM and logistic regression, with solvers for many outputs at once."""

from tagline.models.linear.model import LINEAR_MODELS, SOFTMAX_MODELS, LinearModel, to_half

__all__ = ["LINEAR_MODELS", "SOFTMAX_MODELS", "LinearModel", "to_half"]
