"""Why did a model say so: what each word and n-gram added to the score.

A linear model's score of a class is its calibrated logit, the intercept plus what each n-gram adds; a tree's or
forest's is the probability, the share at the roots plus what each question on the way down adds. Of these the parts
add up to the score exactly. A network's score is a logit too, shared out among the words by integrated gradients.
"""

from tagline.explain.explanation import START_OF_TEXT, Contribution, Explanation
from tagline.explain.text import explain_text

__all__ = ["START_OF_TEXT", "Contribution", "Explanation", "explain_text"]
