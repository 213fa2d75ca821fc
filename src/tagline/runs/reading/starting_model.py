"""The model that a run continues: what it keeps, how it reads the new rows, and what the update gained."""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from tagline.classifier.partial import check_classes, check_continued
from tagline.data import Dataset, read_dataset
from tagline.data.inspections.class_counts import count_classes
from tagline.data.labels import sorted_classes
from tagline.data.text_hashes import Hashes
from tagline.data.wording import counted
from tagline.errors import InputError
from tagline.features.vectorizer import Vectorizer
from tagline.key_findings import KeyFinding, Kind
from tagline.run_folder import load_model, run_of_model
from tagline.runs.reading.data import seen_rows
from tagline.runs.reading.model_data import check_label_column, distinct_labels, labels_like_classes, read_like_training
from tagline.runs.settings import TrainSettings
from tagline.runs.test_ledger import rows_measured

if TYPE_CHECKING:
    from tagline.classifier import TextClassifier
    from tagline.runs.predictions import Predicted

_KEPT = {  # settings that the model brings with it, and their options
    "recipe": "--recipe",
    "settings": "--set",
    "multilabel": "--multilabel",
    "keep_label_spelling": "--keep-label-spelling",
    "positive": "--positive",
    "threshold": "--threshold",
    "costs": "--cost",
    "precision": "--precision",
    "recall": "--recall",
    "unlabelled": "--unlabelled",
}
_TEXTS_AT_ONCE = 10_000


@dataclass(frozen=True, eq=False)
class StartingModel:
    """A model to continue: ``name`` is that of its run, or of its folder.

    ``hashes`` are those of the texts that it has learned from, as `training_hashes` returns them; None if its run is
    not there, so that they are unknown.
    """

    clf: "TextClassifier"
    vectorizer: Vectorizer
    name: str
    hashes: Hashes | None

    @classmethod
    def load(cls, path: str | Path) -> "StartingModel":
        """Load the model of a run, or of a bundle.

        Raises:
            BundleError: there is none, it is damaged, or a newer tagline wrote it.
            InputError: it cannot be continued.

        """
        clf = load_model(path)
        try:
            vectorizer, _ = check_continued(clf)
        except InputError as error:
            raise InputError(f"`--from {path}`: {error}") from None
        if clf.indicator_ is not None or clf.classes_.dtype.kind != "U":
            raise InputError(
                f"`{path}` was trained in Python on numbers as labels: continue it there, by "
                "`TextClassifier.partial_fit`."
            )
        run = run_of_model(path, (clf.card_.get("dataset") or {}).get("fingerprint"))
        name = Path(path).resolve().name if run is None else str(run.record["name"])
        return cls(clf, vectorizer, name, None if run is None else run.training_hashes)

    @property
    def classes(self) -> list[str]:
        """The names of its classes."""
        return [str(name) for name in self.clf.classes_]

    def settings(self, given: TrainSettings) -> TrainSettings:
        """Return settings with those of the model.

        Raises:
            InputError: they contradict each other.

        """
        default = TrainSettings()
        for name, option in _KEPT.items():
            if getattr(given, name) != getattr(default, name):
                raise InputError(
                    f"`{option}` cannot be given with `--from`: the model keeps its recipe, its kind of labels and how "
                    "it decides."
                )
        recipe = self.clf.recipe_
        return replace(given, recipe=recipe.recipe.name, costs=self.clf.costs_)

    def read(self, data: Any, settings: TrainSettings, *, fold_few: bool) -> tuple[Dataset, TrainSettings]:
        """Read the new rows with the columns of the old ones, where they have them, and with labels spelled as classes.

        Return them with the settings that they were read with. The classes are those of the model and of the rows.

        Raises:
            DataError: the rows cannot be read.
            InputError: they do not fit the model.

        """
        label_given = bool(settings.label)

        def read_data(options: TrainSettings) -> Dataset:
            return read_dataset(data, options, options.seed, fewest_classes=1, fold_few=fold_few)

        dataset, settings = read_like_training(data, settings, self.clf, read_data)
        dataset = self._aligned(dataset, label_given=label_given)
        self._check_texts(dataset)
        positive = self.clf.positive_ if dataset.task.has_positive else None
        return self._with_seen_rows(self._with_repeated_rows(dataset)), replace(settings, positive=positive)

    def continued(self, settings: TrainSettings) -> "TextClassifier":
        """Return a classifier whose `partial_fit` continues the model, which stays as it is."""
        clf = copy(self.clf)
        clf.seed_ = settings.seed
        clf.class_weight = "balanced" if settings.balance else None
        return clf

    def to_json(self) -> dict[str, Any]:
        """Return ``continued_from`` of ``run.json`` and of the bundle."""
        of_data = self.clf.card_.get("dataset") or {}
        return {
            "name": self.name,
            "dataset": {key: of_data.get(key) for key in ("name", "fingerprint")},
            "learnt_from": self.clf.chosen_["learnt_from"],
            "classes": self.classes,
        }

    def _aligned(self, dataset: Dataset, *, label_given: bool) -> Dataset:
        """Return the rows with labels spelled as the classes of the model, and all classes of both."""
        parts = {name: part for name in ("train", "validation", "test") if (part := getattr(dataset, name)) is not None}
        labels = {name: labels_like_classes(self.clf, part.labels) for name, part in parts.items()}
        found = {name for column, _ in labels.values() for name in distinct_labels(column)}
        check_label_column(self.clf, dataset, found, given=label_given)
        classes = sorted_classes(pl.Series([*{*self.classes, *found}]))
        check_classes(self.clf, classes)
        spelled: dict[str, Any] = {name: replace(part, labels=labels[name][0]) for name, part in parts.items()}
        facts = dataset.facts
        if found <= {*self.classes}:  # they were learned from other rows
            facts = facts.of_measured_rows()
        counts = {
            name: count_classes(part.labels, classes) for name, part in spelled.items() if name in facts.class_counts
        }
        notes = dict.fromkeys(note for _, said in labels.values() for note in said)
        return replace(
            dataset,
            **spelled,
            classes=classes,
            task=self.clf.task_.with_classes(len(classes)),
            facts=replace(facts, found={**facts.found, "class_counts": counts}, warnings=(*facts.warnings, *notes)),
            read_fingerprint=dataset.fingerprint,
        )

    def _check_texts(self, dataset: Dataset) -> None:
        """Raise `InputError` if no text has an n-gram that the model knows."""
        texts = dataset.train.texts
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            if self.vectorizer.transform(texts.slice(start, _TEXTS_AT_ONCE)).nnz:
                return
        raise InputError(
            f"No text of `{dataset.name}` has a word that `{self.name}` knows, so there is nothing to continue: are "
            "these the right file and text column? If so, train without `--from`."
        )

    def _with_repeated_rows(self, dataset: Dataset) -> Dataset:
        """Warn of rows to learn from whose text the model has learned from: held out, they calibrate too surely."""
        rows = dataset.train.followed_by(dataset.validation)
        if self.hashes is None or dataset.folds is not None or not (n_seen := len(seen_rows(rows.texts, self.hashes))):
            return dataset
        sentence = (
            f"{n_seen:,} of {counted(len(rows), 'row')} to learn from have a text that `{self.name}` was trained on: "
            "probabilities, thresholds and levels that they are held out for are too sure. Continue with rows that are "
            "new."
        )
        return replace(dataset, facts=replace(dataset.facts, warnings=(*dataset.facts.warnings, sentence)))

    def _with_seen_rows(self, dataset: Dataset) -> Dataset:
        """Add a finding about the rows measured whose text the model has learned from."""
        measured = rows_measured(dataset)
        if self.hashes is None or measured is None:
            return dataset
        n_seen = len(seen_rows(measured.texts, self.hashes))
        if not n_seen:
            return dataset
        sentence = (
            f"{n_seen:,} of {counted(len(measured), 'row')} measured have a text that `{self.name}` was trained on, so "
            "the metrics are optimistic: continue with rows that are new."
        )
        finding = KeyFinding(Kind.COPIES_ACROSS_SPLITS, sentence, n_seen / len(measured))
        facts = dataset.facts
        return replace(
            dataset,
            facts=replace(facts, warnings=(*facts.warnings, sentence), key_findings=(*facts.key_findings, finding)),
        )


def gained(
    start: StartingModel, name: str, before: "Predicted", after: "Predicted", classes: list[str], seed: int
) -> Mapping[str, Any]:
    """Return ``continued_from`` of ``metrics.json``: what the model before and the run ``name`` reach on the same rows.

    ``runs`` are the figures of the two, ``pair`` their differences as in `compare_runs`.
    """
    from tagline.metrics.comparison.compare import resample
    from tagline.metrics.units import Units
    from tagline.runs.compare.pairs import correct_pairs, pair_of

    both = before, after
    samples = resample(after.y_true, [each.y_pred for each in both], len(classes), seed, Units.repeated(after.unit))
    figures = [figure for figure in ("accuracy", "macro_f1", "micro_f1") if figure in samples.value]
    pair = pair_of(0, 1, both, samples, figures)
    correct_pairs([pair], figures, samples, len(after.proba))
    runs = [
        {"name": each, **{figure: float(samples.value[figure][k]) for figure in figures}}
        for k, each in enumerate((start.name, name))
    ]
    return {
        "rows": len(after.proba),
        "new_classes": [name for name in classes if name not in start.classes],
        "runs": runs,
        "pair": pair,
    }
