"""The second stage: the word n-grams of texts on disk, counted exactly."""
