"""Compare runs that were measured on the same test rows."""

from tagline.runs.compare.document import compare_runs

__all__ = ["compare_runs"]
