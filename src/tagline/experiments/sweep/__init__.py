"""`tagline sweep`: grids of settings, seeds and learning curves on the same validation rows."""
