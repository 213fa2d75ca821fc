"""Many fits on the same data: a grid of experiments, and a search within a time budget."""
