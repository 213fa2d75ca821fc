"""`TextClassifier`: texts in, labels and probabilities out; the only place where text meets numbers."""

from tagline.classifier.text_classifier import TextClassifier

__all__ = ["TextClassifier"]
