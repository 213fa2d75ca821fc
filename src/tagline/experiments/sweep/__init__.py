"""Sweeps: trials of settings, or of numbers of training rows, on the same held-out rows."""
