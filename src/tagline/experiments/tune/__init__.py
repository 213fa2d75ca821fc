"""`tagline tune`: the best recipe that a time budget allows."""
