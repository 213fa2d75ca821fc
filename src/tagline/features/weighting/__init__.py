"""Weights of n-grams: document frequencies, TF-IDF, naive Bayes log-count ratios, and weighted rows.

`scale` has the formulas of the scales, `rows` weights counts by them; both read large matrices by the compiled core
(`native`) or, where it is missing, by NumPy (`arrays`, the reference), with the same results.
"""

from tagline.features.weighting.rows import TermFrequency, weigh, weigh_blocks
from tagline.features.weighting.scale import Scale, document_frequency, scale_columns, spread

__all__ = ["Scale", "TermFrequency", "document_frequency", "scale_columns", "spread", "weigh", "weigh_blocks"]
