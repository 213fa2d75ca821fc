"""Explanations: the contribution of each word and n-gram to the score of a class.

The score of a linear model is its calibrated logit: the intercept plus the contribution of each n-gram. The score of
a tree or a forest is the probability: the share at the roots plus the contribution of each test on the path to the
leaves. For both, the contributions add up to the score exactly. The score of a network is a logit, attributed to the
words by integrated gradients.
"""

from tagline.explain.explanation import START_OF_TEXT, Contribution, Explanation
from tagline.explain.text import explain_text

__all__ = ["START_OF_TEXT", "Contribution", "Explanation", "explain_text"]
