"""Where rows are read from: files, folders, globs, standard input, built-in datasets and Python objects."""
