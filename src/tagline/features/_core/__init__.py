"""The compiled core of the features: tokens and n-grams. Import it only if ``tagline.compiled.COMPILED``."""
