"""A training run: read, fit, measure, explain, write the run folder; and what can be done with one afterwards.

``train.train_run``, ``evaluation.evaluate_model``, ``prediction.predict_file``, ``listing.list_runs`` and
``model_folder.load_model`` are imported from where they are: scikit-learn takes a second, which not all of them need.
"""
