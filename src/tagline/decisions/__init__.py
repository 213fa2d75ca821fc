"""Decisions: from probabilities to labels, to sets of labels, or to none where the model is unsure."""
