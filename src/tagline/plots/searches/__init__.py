"""Figures of sweeps, searches and comparisons of many runs."""
