"""Delimited text, which `csv` and `tsv` read: its dialect, its records, and the tables they make."""
