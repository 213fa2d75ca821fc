"""Writing run folders: of a training, of an evaluation, and the record `run.json`."""
