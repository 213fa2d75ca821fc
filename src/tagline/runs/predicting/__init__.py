"""Predictions for new texts: options, rows of the answer, and tables that are read and written in batches."""
