"""The header of a model's bundle, checked before anything is predicted with it.

Checksums say that a bundle is as it was written, not that it is sound: whoever writes one can compute them. So every
value is checked against a schema, every array against the others, and two short texts are predicted.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError, model_validator

from tagline.bundle import Bundle
from tagline.calibration import Calibrator, restore_calibrator
from tagline.decisions.cost_table import restored_costs
from tagline.decisions.held_out import HeldOutScores
from tagline.decisions.novelty import Novelty
from tagline.decisions.operating_point import PRECISION, RECALL
from tagline.decisions.rule import DecisionRule
from tagline.decisions.targets import levels_of
from tagline.errors import BundleError, InputError, MissingExtraError
from tagline.features.base import Featurizer
from tagline.features.sequences import Sequences
from tagline.inputs.indicators import IndicatorFormat
from tagline.models import MODELS, Model
from tagline.models.onnx.check import check_graph
from tagline.recipes import FEATURIZERS, Recipe, make_recipe
from tagline.task import Task

if TYPE_CHECKING:
    from tagline.classifier import TextClassifier

_DEFAULT_CALIBRATION = "temperature"  # of bundles that name none
_PROBES = ["", "A film, 1 of 2: été 電影"]
_BROKEN = (ArithmeticError, AttributeError, LookupError, MemoryError, TypeError, ValueError, pl.exceptions.PolarsError)

Label = Annotated[str, Field(max_length=10_000)] | bool | int | float


def _threshold(found: object) -> float | list[float]:
    """Return a threshold, or those of all labels, if they are numbers between 0 and 1."""
    values: list[Any] = found if isinstance(found, list) else [found]
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= 1.0:
            raise ValueError(f"`{value!s:.80}` is not a number between 0 and 1")
    return [float(value) for value in values] if isinstance(found, list) else float(values[0])


class DataFacts(BaseModel):
    """What a model remembers of the dataset that it was trained on; earlier versions left some out."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    name: str | None = None
    fingerprint: str | None = None
    rows: dict[str, Annotated[int, Field(ge=0)]] | None = None


class LabelFacts(BaseModel):
    """How the labels of the dataset were read: the fields of `LabelOptions`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    separator: str | None = None
    keep_spelling: bool = False
    multilabel: bool = False


class Facts(BaseModel):
    """The facts that a bundle keeps with its model; other keys are kept as they are."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    seed: Annotated[int, Field(ge=0, lt=2**32)] | None = None
    folds: int | None = None
    text_columns: list[str] | None = None
    label_columns: list[str] | None = None
    label_column: str | None = None  # the only one of `label_columns`, which the first versions did not write
    weight_column: str | None = None
    labels: LabelFacts | None = None
    dataset: DataFacts | None = None


def checked_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts as a dictionary.

    Raises:
        InputError: a key that tagline reads has a value of the wrong type.

    """
    try:
        Facts.model_validate(dict(facts))
    except ValidationError as error:
        raise InputError(f"`facts`: {_first_fault(error)}.") from None
    return dict(facts)


class Header(BaseModel):
    """Header of the model in the index of a bundle, format version 1 and later; other keys are ignored."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True, allow_inf_nan=False)

    task: str
    classes: Annotated[list[Label], Field(min_length=1, max_length=1_000_000)]
    recipe: dict[str, Any]
    chosen: dict[str, Any]
    features: dict[str, Any]
    model: str
    temperature: float | None = None
    calibration: dict[str, Any] | None = None
    threshold: Annotated[float | list[float], PlainValidator(_threshold)]
    positive: str | None
    costs: list[list[float]] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    facts: Facts
    indicator: IndicatorFormat | None = None

    @model_validator(mode="after")
    def _check(self) -> "Header":
        _known("task", self.task, [task.value for task in Task])
        _known("model", self.model, MODELS)
        _known("features.kind", self.features.get("kind"), FEATURIZERS)
        names = [str(label) for label in self.classes]
        task = Task(self.task)
        if len(set(names)) < len(names) or len({type(label) for label in self.classes}) > 1:
            raise ValueError("`classes` must differ, and be of one type")
        if task is not task.with_classes(len(names)):
            raise ValueError(f"`task` is `{self.task}`, and there are {len(names):,} `classes`")
        if (self.positive is None and task.has_positive) or self.positive not in (None, *names):
            raise ValueError("`positive` must be one of the `classes`, and may be null for more than two")
        if self.positive is not None and task is Task.MULTILABEL:
            raise ValueError("`positive` is for one label a text")
        if self.costs is not None and task is Task.MULTILABEL:
            raise ValueError("`costs` are for one label a text")
        if self.indicator is not None and task is not Task.MULTILABEL:
            raise ValueError("`indicator` is for several labels a text")
        if isinstance(self.threshold, list):
            if task is not Task.MULTILABEL:
                raise ValueError("`threshold` is one number, except for several labels a text")
            if len(self.threshold) != len(names):
                raise ValueError(f"`threshold` lists {len(self.threshold):,} numbers for {len(names):,} `classes`")
        if self.calibration is None and self.temperature is None:
            raise ValueError("`temperature` is missing")
        return self

    def card(self) -> dict[str, Any]:
        """Return the facts as they are in the bundle."""
        return self.facts.model_dump(exclude_unset=True)

    def rule(self) -> DecisionRule:
        """Return the decision rule.

        Raises:
            InputError: the costs are invalid.

        """
        names = [str(label) for label in self.classes]
        costs = None if self.costs is None else restored_costs(self.costs, names)
        return DecisionRule.of(self.threshold, None if self.positive is None else names.index(self.positive), costs)

    def calibrator(self) -> Calibrator:
        """Return the calibrator; bundles that name none have a temperature."""
        return restore_calibrator(self.calibration or {"kind": _DEFAULT_CALIBRATION, "temperature": self.temperature})


def header_of(clf: "TextClassifier") -> dict[str, Any]:
    """Return the header of a fitted classifier."""
    settings = clf.model_.settings()
    return {
        "tagline": version("tagline"),
        "task": clf.task_,
        "classes": clf.classes_.tolist(),
        "recipe": clf.recipe_.to_json(),
        "chosen": clf.chosen_,
        "features": clf.vectorizer_.settings(),
        "model": clf.model_.kind,
        **({clf.model_.kind: settings} if settings else {}),
        **calibration_entry(clf.calibrator_),
        "threshold": DecisionRule.of(clf.threshold_).to_json(),
        "positive": clf.positive_,
        **({} if clf.costs_ is None else {"costs": [list(row) for row in clf.costs_.costs]}),
        "seed": clf.seed_,
        "facts": clf.card_,
        **({} if clf.indicator_ is None else {"indicator": clf.indicator_.model_dump()}),
    }


def calibration_entry(calibrator: Calibrator) -> dict[str, Any]:
    """Return the entry of the calibrator in a header; earlier versions read the temperature under its own key."""
    table = calibrator.to_json()
    return {"temperature": table["temperature"]} if calibrator.kind == _DEFAULT_CALIBRATION else {"calibration": table}


@dataclass(frozen=True)
class StoredModel:
    """The content of a model's bundle."""

    header: Header
    rule: DecisionRule
    task: Task
    classes: NDArray[Any]
    recipe: Recipe
    features: Featurizer
    model: Model
    calibrator: Calibrator
    novelty: Novelty | None
    graph: bytes | None
    held_out: HeldOutScores | None

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of the classifier that it was fitted with, as far as a bundle keeps them."""
        header = self.header
        levels = levels_of(header.chosen.get("targets"))
        return {
            "recipe": self.recipe,
            "positive": header.positive if self.task.has_positive else None,
            "costs": self.rule.costs,
            "precision": levels.get(PRECISION),
            "recall": levels.get(RECALL),
            "seed": header.seed,
            "stop_words": header.features.get("tokenizer", {}).get("stop_words"),
        }


def restore_model(bundle: Bundle, source: object) -> StoredModel:
    """Return the model that a bundle holds; ``source`` names the bundle in messages.

    Raises:
        BundleError: a part is missing, of a wrong type or out of bounds, or the parts do not fit together.

    """
    try:
        header = Header.model_validate(bundle.header)
    except ValidationError as error:
        raise BundleError(f"`{source}`: {_first_fault(error)}. Copy or train the model again.") from None
    part = "recipe"
    try:
        recipe = make_recipe(header.recipe, str(source))
        part = "costs"
        rule = header.rule()
        part = "calibration"
        task = Task(header.task)
        n_outputs = task.n_outputs(len(header.classes))
        calibrator = header.calibrator()
        _check_calibrator(calibrator, task, n_outputs)
        part = "arrays"
        _check_finite(bundle.arrays)
        part = "features"
        features = FEATURIZERS[header.features["kind"]].restore(header.features, bundle.arrays, bundle.texts)
        features.check()
        part = "novelty"
        novelty = Novelty.restore(bundle.arrays)
        part = "model"
        kind = MODELS[header.model]
        arrays = {name.removeprefix("model."): a for name, a in bundle.arrays.items() if name.startswith("model.")}
        model = kind.restore((header.model_extra or {}).get(kind.kind, {}), arrays, bundle.binaries)
        model.check(features.n_columns, n_outputs)
        _probe(features, model, calibrator, n_outputs)
        part = kind.graph_file or ""
        graph = bundle.binaries.get(part)
        if graph is not None:
            check_graph(graph)
        part = "held_out"
        held_out = HeldOutScores.restore(bundle.arrays, len(header.classes))
        if held_out is not None and task is Task.MULTILABEL:
            raise ValueError("there are none of several labels a text")
    except MissingExtraError:
        raise
    except _BROKEN as error:
        what = f"{type(error).__name__}: {error}" if isinstance(error, KeyError) else error
        raise BundleError(f"`{source}` has an invalid `{part}` ({what}). Copy or train the model again.") from None
    classes = np.array(header.classes, dtype=str if isinstance(header.classes[0], str) else None)
    return StoredModel(header, rule, task, classes, recipe, features, model, calibrator, novelty, graph, held_out)


def _known(key: str, name: object, registry: Any) -> None:
    if not isinstance(name, str) or name not in registry:
        raise ValueError(f"`{key}` is `{name!s:.80}`, which is unknown")


def _first_fault(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"][:3])
    message = first["msg"].removeprefix("Value error, ")
    return f"`{place}` is invalid: {message}" if place else message


def _check_calibrator(calibrator: Calibrator, task: Task, n_outputs: int) -> None:
    if task not in calibrator.tasks:
        raise ValueError(f"`{calibrator.kind}` is not for {task} data")
    if (n := len(calibrator.line(n_outputs)[0])) != n_outputs:
        raise ValueError(f"it calibrates {n:,} outputs, and there are {n_outputs:,}")


def _check_finite(arrays: dict[str, NDArray[Any]]) -> None:
    for name, array in arrays.items():
        if array.dtype.kind not in "biuf" or (array.dtype.kind == "f" and not np.isfinite(array).all()):
            raise ValueError(f"`{name}` holds values that are not finite numbers")


def _probe(features: Featurizer, model: Model, calibrator: Calibrator, n_outputs: int) -> None:
    """Predict two short rows."""
    if features.reads_texts:
        X = features.transform(pl.Series(_PROBES, dtype=pl.String))
    else:
        X = features.transform_ids(Sequences.of([[1], [1, 2, 3]]))
    logits = calibrator.apply(model.logits(X))
    if logits.shape != (2, n_outputs) or not all(math.isfinite(value) for value in logits.ravel()):
        raise ValueError(f"it predicts {logits.shape[1]:,} outputs for {n_outputs:,}, or a value that is not finite")
