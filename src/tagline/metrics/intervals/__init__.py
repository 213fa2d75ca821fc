"""95 % intervals: of shares, of means of losses, and of what else the bootstrap resamples."""
