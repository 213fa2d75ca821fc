"""Tuning: the search for the best recipe within a time budget."""
