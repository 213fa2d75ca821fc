"""Word vectors: read from files and packages, or learned from unlabelled texts."""

from tagline.features.vectors.load import Vectors, load_vectors

__all__ = ["Vectors", "load_vectors"]
