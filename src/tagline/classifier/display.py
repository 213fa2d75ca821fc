"""What a classifier shows of itself: a summary as Keras prints it, figures, and a card in a notebook."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from tagline import notebook
from tagline.decisions.rule import describe_threshold
from tagline.errors import InputError
from tagline.features.encoder import Encoder
from tagline.features.vectorizer import Vectorizer
from tagline.inputs.labels import check_lengths, label_indices, list_labels
from tagline.inputs.texts import as_inputs
from tagline.learners import HeldOut
from tagline.many_classes import TopProbabilities, true_classes
from tagline.metrics import measure
from tagline.metrics.counts import MANY_CLASSES, confusion_matrix
from tagline.models.network.network import Network
from tagline.models.trees import TreeModel
from tagline.task import Task

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tagline.classifier import TextClassifier

_KERAS_LAYERS = {"lstm": "LSTM", "gru": "GRU", "conv-1d": "Conv1D", "max-pool": "GlobalMaxPooling1D"}
_MOST_CLASSES = 8  # named in a card
_BYTES = 4  # of a parameter


def summary_text(clf: "TextClassifier") -> str:
    """Return the layers of a network, or the stages of another model, and its parameters, as Keras prints them."""
    if isinstance(clf.model_, Network):
        rows, frozen = _layers(clf), _frozen_parameters(clf)
        header = ("Layer (type)", "Output Shape", "Param #")
    else:
        rows, frozen = _stages(clf), 0
        header = ("Stage", "Output Shape", "Param #")
    total = sum(count for _, _, count in rows)
    cells = [(name, shape, f"{count:,}") for name, shape, count in rows]
    lines = [f'Model: "{clf.recipe_.recipe.name}"', *_boxed(header, cells)]
    counts = [("Total params", total)]
    if isinstance(clf.model_, Network):
        counts += [("Trainable params", total - frozen), ("Non-trainable params", frozen)]
    lines += [f" {name}: {count:,} ({_size(count * _BYTES)})" for name, count in counts]
    return "\n".join([*lines, f" Classes: {_class_names(clf)}"])


def _layers(clf: "TextClassifier") -> list[tuple[str, str, int]]:
    """Return name, output shape and number of parameters of each layer."""
    assert isinstance(clf.model_, Network)
    assert isinstance(clf.vectorizer_, Encoder)
    encoder, seen = clf.vectorizer_, dict[str, int]()
    rows = []
    for layer in clf.model_.summary((encoder.num_words,) if encoder.maxlen is None else (encoder.maxlen,)):
        kind = layer["layer"]
        plain = kind.replace("-", "_")
        name = plain if plain not in seen else f"{plain}_{seen[plain]}"  # as Keras numbers them
        seen[plain] = seen.get(plain, 0) + 1
        type_name = _KERAS_LAYERS.get(kind, "".join(part.capitalize() for part in kind.split("-")))
        shape = ", ".join("None" if size is None else f"{size}" for size in (None, *layer["output"]))
        rows.append((f"{name} ({type_name})", f"({shape})", layer["parameters"]))
    return rows


def _frozen_parameters(clf: "TextClassifier") -> int:
    """Return the number of parameters that are not trained: word vectors, if the recipe freezes them."""
    assert isinstance(clf.model_, Network)
    return int(clf.model_.weights[0][0].size) if getattr(clf.recipe_.model, "frozen", False) else 0


def _stages(clf: "TextClassifier") -> list[tuple[str, str, int]]:
    """Return name, output shape and number of parameters of the stages from the text to the probabilities."""
    features, n_outputs = clf.vectorizer_, clf.task_.n_outputs(len(clf.classes_))
    rows = []
    if isinstance(features, Vectorizer):
        for block, scale in zip(features.blocks, features.scales, strict=True):
            of, shortest, longest = block.of.removesuffix("s"), block.table.min_n, len(block.table.keys) + 1
            lengths = f"{shortest}" if shortest == longest else f"{shortest}-{longest}"
            rows.append((f"{of} {lengths}-grams", f"(None, {len(scale)})", 0 if (scale == 1).all() else len(scale)))
    else:
        rows.append((features.unit_name, f"(None, {features.n_columns})", 0))
    size = sum(array.size for array in clf.model_.arrays().values()) if clf.model_.kind != "onnx" else 0
    kind = clf.recipe_.model.kind
    if isinstance(clf.model_, TreeModel):
        kind += f" ({len(clf.model_.roots):,} trees, {len(clf.model_.feature):,} nodes)"
    rows.append((kind, f"(None, {n_outputs})", int(size)))
    rows.append((f"{clf.calibrator_.kind} calibration", f"(None, {len(clf.classes_)})", 1))
    return rows


def _boxed(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table, its last column aligned right."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]

    def line(cells: Sequence[str], edge: str) -> str:
        *texts, number = (
            cell.rjust(width) if column == len(widths) - 1 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return f"{edge} " + f" {edge} ".join([*texts, number]) + f" {edge}"

    def rule(left: str, between: str, right: str, dash: str) -> str:
        return left + between.join(dash * (width + 2) for width in widths) + right

    body = [line(row, "│") for row in rows]
    return [
        rule("┏", "┳", "┓", "━"),
        line(header, "┃"),
        rule("┡", "╇", "┩", "━"),
        *body,
        rule("└", "┴", "┘", "─"),
    ]


def _size(n_bytes: float) -> str:
    """Return a number of bytes as Keras writes it."""
    for unit in ("B", "KB", "MB"):
        if n_bytes < 1024:
            return f"{n_bytes:.2f} {unit}"
        n_bytes /= 1024
    return f"{n_bytes:.2f} GB"


def _class_names(clf: "TextClassifier") -> str:
    names = [str(name) for name in clf.classes_]
    more = f" … ({len(names):,} in all)" if len(names) > _MOST_CLASSES else ""
    return ", ".join(names[:_MOST_CLASSES]) + more


def history_figure(clf: "TextClassifier") -> "Figure":
    """Return loss and accuracy over the epochs of a network.

    Raises:
        InputError: the classifier keeps no history.

    """
    if clf.training_ is None:
        raise InputError(
            "There is no history to plot: only networks are trained in epochs, and a saved model does not keep it "
            "(the report of its run shows it)."
        )
    from tagline.plots.history import plot_training

    return plot_training(clf.training_.history, clf.training_.best_epoch)


def confusion_figure(clf: "TextClassifier", texts: Iterable[Any], labels: Iterable[Any]) -> "Figure":
    """Return the confusion matrix of some texts; multi-label: what was found, missed and wrongly given, by label.

    Raises:
        InputError: texts or labels are invalid, a label is not a class, or there are too many classes to draw.

    """
    from tagline.plots.confusion_matrix import plot_confusion_matrix, plot_label_counts

    names = [str(name) for name in clf.classes_]
    if len(names) > MANY_CLASSES:
        raise InputError(
            f"{len(names):,} classes are too many for a confusion matrix: up to {MANY_CLASSES:,} are drawn."
        )
    column, truth = as_inputs(texts), list_labels(labels, clf.classes_)
    check_lengths(column, truth)
    y_true = label_indices(truth, clf.classes_, clf.task_)
    proba = clf.predict_proba(column)  # type: ignore[arg-type]  # sequences are inputs too
    y_pred = clf.rule_.decide(proba, clf.task_)
    if clf.task_ is Task.MULTILABEL:
        matrices = [confusion_matrix(y_true[:, k], y_pred[:, k], 2) for k in range(len(names))]
        return plot_label_counts(matrices, names)
    return plot_confusion_matrix(confusion_matrix(y_true, y_pred, len(names)), names, positive=clf.positive_)


def card(clf: "TextClassifier") -> str:
    """Return what a notebook shows of a classifier."""
    text = notebook.text
    params = [(name, text(value)) for name, value in clf.changed_params().items() if name != "recipe"]
    if not clf.__sklearn_is_fitted__():
        recipe = clf.recipe if isinstance(clf.recipe, str) else "custom"
        head = f"<strong>TextClassifier</strong> <span class='quiet'>{text(recipe)}, not fitted</span>"
        return notebook.card(head, notebook.table(params, texts=(0, 1)) if params else "")
    head = f"<strong>TextClassifier</strong> <span class='quiet'>{text(clf.recipe_.recipe.name)}, fitted</span>"
    rows = [
        ("task", str(clf.task_)),
        ("classes", text(_class_names(clf))),
        ("features", f"{clf.n_features_:,} {clf.vectorizer_.unit_name}"),
        *(
            ("held-out rows", _held_out(clf, found))
            for found in (clf.validation_,)
            if found is not None and len(found.rows)
        ),
        *((name, text(value)) for name, value in _chosen(clf)),
        *params,
    ]
    summary = notebook.details("Summary", notebook.plain(summary_text(clf)))
    return notebook.card(head, notebook.table(rows, texts=(0, 1)), summary)


def _chosen(clf: "TextClassifier") -> list[tuple[str, object]]:
    """Return what was chosen or learned besides the model, in words."""
    rows: list[tuple[str, object]] = []
    for name, value in clf.chosen_.items():
        if name == "learnt_from":
            rows.append(("trained on", f"{value:,} rows"))
        elif name in ("words", "characters") and isinstance(value, list):
            rows.append((f"{name.removesuffix('s')} n-grams", f"{value[0]} to {value[1]}"))
        elif name == "threshold" and isinstance(value, list):
            rows.append(("thresholds", describe_threshold(value)))
        elif isinstance(value, int | float):
            rows.append((name.replace("_", " "), f"{value:,}" if isinstance(value, int) else f"{value:.3g}"))
    return rows


def _held_out(clf: "TextClassifier", found: HeldOut) -> str:
    """Return the accuracy on the held-out rows with its 95 % interval."""
    decided = clf.rule_.decide(found.proba, clf.task_)
    truth = true_classes(found.Y, clf.task_)
    if isinstance(found.proba, TopProbabilities):  # whose other metrics take long
        return f"accuracy {(truth == decided).mean():.1%} on {len(truth):,} rows, before the final fit"
    names = [str(name) for name in clf.classes_]
    block = measure(truth, decided, None, names, task=clf.task_, positive=clf.positive_, units=found.unit)
    interval = block["accuracy_ci95"]
    between = "" if interval is None else f" (95 % interval {100 * interval[0]:.1f} to {100 * interval[1]:.1f})"
    copies = f" of {block['n_units']:,} distinct texts or groups" if "n_units" in block else ""
    of = " of whole label sets" if clf.task_ is Task.MULTILABEL else ""
    return f"accuracy{of} {100 * block['accuracy']:.1f} %{between} on {block['n']:,} rows{copies}, before the final fit"
