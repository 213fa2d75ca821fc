"""File formats: bytes in, frames of columns out."""
