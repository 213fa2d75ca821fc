"""Explanations: the contribution of each word and n-gram to the logit of a class, and the top features of each class.

Of a linear model the calibrated logit is explained: the intercept plus the contribution of each n-gram; of several
classes with sigmoid scaling, the argument of the sigmoid, which is linear. Of a tree or a forest it is the probability:
the share at the roots plus the contribution of each test on the path to the leaves. For both, the contributions add up
exactly. Of a label tree it is the sum of the scores on the path to the class. The logit of a network is attributed to
the words by integrated gradients.
"""

from tagline.explain.explanation import START_OF_TEXT, Contribution, Explanation, WordContribution
from tagline.explain.model import ClassFeatures, top_features
from tagline.explain.text import explain_text, word_contributions

__all__ = [
    "START_OF_TEXT",
    "ClassFeatures",
    "Contribution",
    "Explanation",
    "WordContribution",
    "explain_text",
    "top_features",
    "word_contributions",
]
