"""Texts to numbers: tokens, n-grams, word ids, and the matrices that models see."""

from tagline.features.sequences import Sequences, WordIndex, multi_hot, one_hot, pad_sequences

__all__ = ["Sequences", "WordIndex", "multi_hot", "one_hot", "pad_sequences"]
