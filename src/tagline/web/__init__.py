"""The page that people see: its files, and what it tells of a model."""
