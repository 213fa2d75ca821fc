"""Runs: train, evaluate, predict, compare, resume, list.

Import `train.train_run`, `evaluate.evaluate_model`, `predicting.predict.predict_file`, `compare.compare_runs` and
`listing.list_runs` from their modules: scikit-learn takes a second to import, and not all of them need it.
"""
