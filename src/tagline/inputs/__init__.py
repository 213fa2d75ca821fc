"""Texts, labels and indicator matrices of any container, as columns and arrays."""
