"""Compiled code has tests where it was compiled; without it the tests of its callers run on the NumPy path."""

from tagline.compiled import COMPILED

collect_ignore_glob = [] if COMPILED else ["test_*.py"]
