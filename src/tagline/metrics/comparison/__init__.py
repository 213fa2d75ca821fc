"""Comparisons of classifiers on the same rows."""
