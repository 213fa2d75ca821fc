"""Texts and drawings from anybody, as harmless parts of a page."""
