"""Texts to numbers: tokens, n-grams, and what each is worth."""
