"""Word vectors: read from files, or learnt from unlabelled texts."""
