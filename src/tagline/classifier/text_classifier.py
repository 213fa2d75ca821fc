"""`TextClassifier`: fit, predict, save, load."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tagline.bundle import Bundle, bundle_folder, read_bundle, write_bundle
from tagline.calibration import Calibrator
from tagline.classifier.attributes import LearntAttributes
from tagline.classifier.decisions import DecisionMethods
from tagline.classifier.display import card, confusion_figure, history_figure, summary_text
from tagline.classifier.fitted import located, with_rule
from tagline.classifier.graph import classifier_on_graph, graph_of, keep_graph
from tagline.classifier.header import checked_facts, header_of, restore_model
from tagline.classifier.novelty import NoveltyMethods
from tagline.classifier.partial import continued, known_labels
from tagline.classifier.scoring import CompiledScorer, ScoringMethods
from tagline.decisions.held_out import HeldOutScores
from tagline.decisions.novelty import Novelty
from tagline.decisions.targets import Targets
from tagline.errors import InputError
from tagline.features.function_tokenizer import Split, make_tokenizer
from tagline.inputs.indicators import IndicatorFormat
from tagline.inputs.labels import check_lengths, list_labels, matches
from tagline.inputs.texts import as_inputs
from tagline.learners import FitOptions, Fitted, HeldOut, TrainingRecord, fit_recipe
from tagline.learners.feature_cache import FeatureCache
from tagline.learners.fit_arguments import check_arguments, checked_seed
from tagline.learners.progress import FitProgress
from tagline.learners.sample_weight import checked_weights
from tagline.metrics.block import positive_class
from tagline.models import Model
from tagline.recipes import Recipe, load_recipe
from tagline.task import Task

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tagline.training import Callback

Labels = NDArray[Any]


class TextClassifier(ScoringMethods, DecisionMethods, NoveltyMethods, LearntAttributes):
    """A text classifier with scikit-learn's conventions.

    Examples:
        >>> clf = TextClassifier().fit(["good film", "a joy", "bad film", "a bore"], ["pos", "pos", "neg", "neg"])
        >>> clf.predict(["good", "bad"]).tolist()
        ['pos', 'neg']

    Args:
        recipe: the name of a built-in recipe, the path of a .toml file, or a ``Recipe``.
        settings: changes to the recipe: ``{"model.C": 3}`` or ``["model.C=3"]``.
        class_weight: None; ``"balanced"``, every class has the same total weight; or a weight for each class.
        positive: the positive one of two classes, and an error for more; by default see ``positive_class``.
        costs: what wrong predictions cost: ``{true class: {predicted class: cost}}``, where those left out cost 1, or a
            matrix, (n_classes, n_classes), true classes in rows. The class of the smallest expected cost is predicted.
        precision, recall: the precision or recall that predictions of a class shall have on unseen texts, such as
            ``{"spam": 0.99}``; several labels may each have one, otherwise one class. Held-out rows choose its
            threshold and guarantee the level in 95 of 100 trained models. Among more than two classes, the class is
            predicted where its probability is above the threshold, elsewhere the most probable one of the others.
        seed: of everything random; the same seed on the same machine gives the same model to the last bit. None: a new
            one for each fit.
        tokenizer: for n-grams, a function from a text, in NFC and lower case, to its tokens. A model with one can be
            pickled, but not saved or exported.
        stop_words: for n-grams, tokens to leave out: ``"english"``, or a list, set or array; None keeps all.

    Attributes:
        classes_: the classes, (n_classes,), sorted or in the order of an indicator's columns; the columns of
            probabilities have this order.
        indicator_: the format of the labels if they were an indicator matrix (``IndicatorFormat``), else None.
        task_: ``"binary"``, ``"multiclass"`` or ``"multilabel"`` (``Task``).
        positive_: the positive one of two classes; of more, the one that ``precision`` or ``recall`` is for, else
            None.
        costs_: the costs (``CostMatrix``), or None.
        recipe_: the recipe in full. ``chosen_``: settings chosen on held-out rows.
        validation_: held-out predictions before the final fit (``HeldOut``), or None. ``held_out_``: what a saved model
            keeps of all of them (``HeldOutScores``).
        calibrated_on_: all held-out predictions, also of training rows if ``validation`` was given; ``stored_scores_``:
            the scores that a loaded model has in their place.
        training_: how a network was trained, epoch by epoch (``TrainingRecord``), or None. ``history_``: its metrics
            as Keras has them.
        coef_, intercept_, n_features_in_: of linear models, see ``LearntAttributes``.
        calibrator_: calibrator of the logits (``Calibrator``); ``temperature_``: of temperature scaling.
        threshold_: the probability above which a label or ``positive_`` is predicted; an array, (n_classes,), where
            each label has its own.
        novelty_: scores of held-out rows that tell texts unlike them (``Novelty``), or None.
        n_features_: how many n-grams or word ids the model knows. ``seconds_``: duration of each stage.
        seed_: the seed of the fit. card_: facts that ``save`` stores with the model.
        graph_: the ONNX graph of a network, as its bundle holds it, or None; ``graph_of_``: its model and calibrator.

    """

    graph_: bytes | None
    graph_of_: tuple[Model, Calibrator]

    def __init__(
        self,
        recipe: str | Path | Recipe = "fast",
        *,
        settings: Mapping[str, Any] | Sequence[str] | None = None,
        class_weight: str | Mapping[Any, float] | None = None,
        positive: str | None = None,
        costs: Any = None,
        precision: Mapping[Any, float] | None = None,
        recall: Mapping[Any, float] | None = None,
        seed: int | None = 0,
        tokenizer: Split | None = None,
        stop_words: str | Iterable[str] | None = None,
    ) -> None:
        self.recipe = recipe
        self.settings = settings
        self.class_weight = class_weight
        self.positive = positive
        self.costs = costs
        self.precision = precision
        self.recall = recall
        self.seed = seed
        self.tokenizer = tokenizer
        self.stop_words = stop_words

    def fit(
        self,
        texts: Iterable[Any],
        labels: Iterable[Any],
        sample_weight: ArrayLike | None = None,
        *,
        groups: Iterable[Any] | None = None,
        validation: tuple[Iterable[Any], Iterable[Any]] | None = None,
        word_index: Mapping[str, int] | None = None,
        callbacks: "Sequence[Callback]" = (),
        checkpoints: Path | None = None,
        feature_cache: FeatureCache | None = None,
        unlabelled: Iterable[str] | None = None,
        progress: Callable[[FitProgress], None] | None = None,
    ) -> "TextClassifier":
        """Learn from texts and their labels.

        Args:
            texts: strings; a list, an array, or a pandas or polars series, (n_texts,). A network also learns from
                sequences of word ids, as ``tagline.keras_datasets`` has them.
            labels: strings, integers or booleans. For several labels a text: lists of them, or an indicator matrix of 0
                and 1, (n_texts, n_classes), as an array, a sparse matrix or a frame, whose columns name the classes;
                ``predict`` then returns one of the same kind. Strings are normalized to NFC and otherwise stay as they
                are: unlike ``load_dataset``, this does not merge spellings.
            sample_weight: how many times each text counts, (n_texts,); those of the validation texts may follow, which
                count once by default. A text of weight 0 is ignored; one of weight 2 counts as two for feature weights,
                the choice of settings, the model and the calibration, but as one for the vocabulary, the splits and the
                two rows that a leaf of a tree has at least. A network takes the weights relative to their mean, and
                weights the losses of held-out texts too, by class weights as well (Keras leaves these out there).
            groups: what each text belongs to, such as an author, (n_texts,): those of one group are held out together;
                groups of the validation texts may follow.
            validation: texts and labels to choose settings and calibrate on; otherwise some of ``texts`` are held out.
                Little data is cross-validated with them.
            word_index: the rank of each word, from 1, of a network; otherwise learned from the texts. With ids, it lets
                the model read texts too.
            callbacks: called while a network is trained, see ``tagline.training.Callback``.
            checkpoints: the folder where the training of a network is kept after each epoch, and resumed from.
            feature_cache: keeps the features of these texts for other fits.
            unlabelled: more texts, (n_more,), without labels. From them and the texts learned from, word vectors are
                learned first that the network starts from (skip-gram; the extra ``vectors``).
            progress: called with a ``FitProgress`` while a model of n-grams is fitted.

        Raises:
            InputError: texts or labels are invalid.
            RecipeError: a recipe or setting that is wrong.

        """
        seed = checked_seed(self.seed)
        recipe = self.recipe if isinstance(self.recipe, Recipe) else load_recipe(self.recipe, self.settings or ())
        if isinstance(self.recipe, Recipe) and self.settings:
            raise InputError("`settings` change a recipe given by name or file; copy the `Recipe` instead.")
        given = check_arguments(
            texts,
            labels,
            sample_weight=sample_weight,
            class_weight=self.class_weight,
            groups=groups,
            validation=validation,
            word_index=word_index,
            unlabelled=unlabelled,
            positive=self.positive,
        )
        task, names = given.data.task, [str(name) for name in given.classes]
        targets = Targets.of(self.costs, self.precision, self.recall, names, task)
        options = FitOptions(
            seed=seed,
            hold_out_all=bool(targets.points),
            callbacks=callbacks,
            checkpoints=checkpoints,
            feature_cache=feature_cache if given.complete else None,  # it holds the features of all texts
            progress=progress,
            tokenizer=make_tokenizer(self.tokenizer, self.stop_words),
        )
        fitted = located(fit_recipe(recipe, given.data, options), given)
        self.classes_, self.task_, self.recipe_ = given.classes, task, recipe
        self._take(with_rule(fitted, targets, names, task, given.positive), given.indicator, seed)
        return self

    def take_fitted(self, fitted: Fitted, recipe: Recipe, classes: Sequence[str], task: Task) -> "TextClassifier":
        """Become the classifier of a recipe that was fitted elsewhere, to ``classes``, sorted names."""
        names = list(classes)
        targets = Targets.of(self.costs, self.precision, self.recall, names, task)
        positive = positive_class(names, self.positive) if task.has_positive else None
        self.classes_, self.task_, self.recipe_ = np.array(names), task, recipe
        self._take(with_rule(fitted, targets, names, task, positive))
        return self

    def _take(
        self,
        fitted: Fitted,
        indicator: IndicatorFormat | None = None,
        seed: int | None = None,
        scores: HeldOutScores | None = None,
    ) -> None:
        self.indicator_ = indicator
        self.seed_ = checked_seed(self.seed) if seed is None else seed
        self.vectorizer_, self.model_ = fitted.vectorizer, fitted.model
        self._compiled = CompiledScorer()
        self.calibrator_: Calibrator = fitted.calibrator
        rule = self.stored_rule_ = fitted.rule
        self.threshold_, self.costs_ = rule.value, rule.costs
        self.positive_ = None if rule.positive is None else str(self.classes_[rule.positive])
        self.chosen_, self.seconds_ = fitted.chosen, fitted.seconds
        self.validation_: HeldOut | None = fitted.held_out
        self.calibrated_on_, self.stored_scores_ = fitted.calibrated_on, scores
        self.training_: TrainingRecord | None = fitted.training
        self.novelty_: Novelty | None = fitted.novelty
        self.n_features_ = fitted.vectorizer.n_columns
        self.card_: dict[str, Any] = {}
        keep_graph(self, None)

    def partial_fit(
        self,
        texts: Iterable[Any],
        labels: Iterable[Any],
        classes: Iterable[Any] | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        groups: Iterable[Any] | None = None,
        validation: tuple[Iterable[Any], Iterable[Any]] | None = None,
    ) -> "TextClassifier":
        """Learn from more texts without those of before: a stream, or corrections; for linear SVMs of n-grams.

        The first call is ``fit``. Later ones keep what was learned, by how many texts it was learned from: words and
        n-grams that are new get columns, new classes get outputs. From 200 texts on, some of them are held out to
        calibrate; fewer leave calibration and thresholds as they are, and no held-out rows to abstain by. Settings such
        as ``C`` stay.

        Args:
            texts: as of `fit`.
            labels: as of `fit`; one class suffices, and classes may be new.
            classes: all classes there are: another label is an error. scikit-learn's estimators need them.
            sample_weight: as of `fit`.
            groups: as of `fit`.
            validation: as of `fit`; all texts are learned from in the end.

        Raises:
            InputError: texts or labels are invalid, or the model cannot be continued.

        """
        if classes is not None:
            labels = known_labels(labels, classes)
        if not hasattr(self, "model_"):
            return self.fit(texts, labels, sample_weight, groups=groups, validation=validation)
        more = continued(self, texts, labels, sample_weight, groups, validation)
        self.classes_, self.task_ = more.classes, more.task
        card = self.card_
        self._take(more.fitted, self.indicator_, self.seed_)
        self.card_ = card
        return self

    def predict(self, texts: Iterable[Any]) -> Any:
        """Return the label of each text, (n_texts,).

        Where a text may have several: a list of labels for each, (n_texts,), or an indicator, (n_texts, n_classes), of
        the kind that the model was fitted on.
        """
        proba = self.probabilities(texts)
        if self.indicator_ is None:
            return self.decide(proba)
        return self.indicator_.write(self._decided(proba), self.classes_, texts)

    def score(self, texts: Iterable[Any], labels: Iterable[Any], sample_weight: ArrayLike | None = None) -> float:
        """Return the accuracy, of whole label sets where a text may have several.

        Labels are compared with predictions as text where their types differ: 1 and "1" are the same label.

        Raises:
            InputError: there are not as many labels, or weights, as texts; labels are lists where the model gives one
                label; no label is a class of the model; or a weight is invalid.

        """
        self._check_fitted()
        column, truth = as_inputs(texts), list_labels(labels, self.classes_)
        check_lengths(column, truth)
        proba = self.probabilities(column)  # type: ignore[arg-type]  # sequences are inputs too
        right = matches(truth, self.decide(proba), self.classes_)
        weights = None if sample_weight is None else checked_weights(sample_weight, len(column))
        return float(np.average(right.astype(np.float64), weights=weights))

    def save(self, folder: str | Path, facts: Mapping[str, Any] | None = None) -> None:
        """Write the model as a bundle: a folder that works wherever it is copied. ``facts`` are stored with it.

        Raises:
            InputError: the folder holds something else, a fact that tagline reads is of the wrong type (see
                `tagline.classifier.header.Facts`), or the model runs in ONNX Runtime and is no longer there.
            MissingExtraError: it is a network, of which a bundle holds the ONNX graph, and onnx is not installed.

        """
        self._check_fitted()
        arrays = self.vectorizer_.arrays() | {f"model.{k}": v for k, v in self.model_.arrays().items()}
        if self.novelty_ is not None:
            arrays |= self.novelty_.arrays()
        arrays |= {} if self.held_out_ is None else self.held_out_.arrays()
        binaries = {} if self.model_.graph_file is None else {self.model_.graph_file: graph_of(self)}
        header = self.header() | ({} if facts is None else {"facts": checked_facts(facts)})
        write_bundle(folder, Bundle(header, arrays, self.vectorizer_.texts(), binaries))

    def header(self) -> dict[str, Any]:
        """Return the header of the model for the index of a bundle."""
        return header_of(self)

    def on_onnx_runtime(self) -> "TextClassifier":
        """Return a classifier that answers by ONNX Runtime, where this one has a bundle that holds a graph.

        Otherwise return this one. What runs in ONNX Runtime cannot be explained or saved.
        """
        self._check_fitted()
        return classifier_on_graph(self)

    @classmethod
    def load(cls, folder: str | Path) -> "TextClassifier":
        """Read a bundle, that of a run, or an export to ONNX, which runs in ONNX Runtime.

        Nothing else in it is executed.

        Raises:
            BundleError: it is missing, damaged, invalid or of a newer format.

        """
        folder = bundle_folder(folder)
        stored = restore_model(read_bundle(folder), folder)
        header = stored.header
        clf = cls(**stored.parameters())
        clf.classes_, clf.task_ = stored.classes, stored.task
        clf.recipe_ = stored.recipe
        clf._take(
            Fitted(
                vectorizer=stored.features,
                model=stored.model,
                calibrator=stored.calibrator,
                rule=stored.rule,
                chosen=header.chosen,
                held_out=None,
                seconds={},
                novelty=stored.novelty,
            ),
            header.indicator,
            scores=stored.held_out,
        )
        clf.card_ = header.card()
        keep_graph(clf, stored.graph)
        return clf

    def summary(self) -> None:
        """Print the layers of a network and their parameters, as Keras does; of other models, the stages."""
        self._check_fitted()
        print(summary_text(self))

    def plot_history(self) -> "Figure":
        """Return a figure of loss and accuracy over the epochs of a network.

        Raises:
            InputError: the model is not a network, or was loaded from a file.

        """
        self._check_fitted()
        return history_figure(self)

    def plot_confusion_matrix(self, texts: Iterable[Any], labels: Iterable[Any]) -> "Figure":
        """Return a figure of the confusion matrix of some texts, truth in rows and predictions in columns.

        Where a text may have several labels: what was found, missed and wrongly given, by label.

        Raises:
            InputError: texts or labels are invalid, a label is not a class, or there are more than 500 classes.

        """
        self._check_fitted()
        return confusion_figure(self, texts, labels)

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        return card(self)
