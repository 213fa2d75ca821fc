"""Compiled solvers have tests where they were compiled; without them `test_linear.py` runs on scikit-learn's."""

from tagline.compiled import COMPILED

collect_ignore = [] if COMPILED else ["test_solvers.py"]
