"""Inspections: what is known of a dataset before anything is trained."""
