"""``tagline explain``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tagline.cli import options
from tagline.errors import InputError, as_unicode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tagline.classifier import TextClassifier
    from tagline.explain import ClassFeatures, Contribution, Explanation, WordContribution


def explain(
    context: typer.Context,
    model: options.Model,
    text: Annotated[
        str | None, typer.Argument(metavar="[TEXT]", help="The text to explain; without one, the model.")
    ] = None,
    class_name: Annotated[
        str | None,
        typer.Option(
            "--class",
            metavar="CLASS",
            help="The class to explain; by default the predicted one, and without a text all.",
            rich_help_panel=options.MODEL,
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Also write an HTML page of the text, or of the model.", rich_help_panel=options.OUTPUT
        ),
    ] = None,
    top: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=1,
            help="The number of words to list, without a text of each class.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = 15,
    ngrams: Annotated[
        bool,
        typer.Option("--ngrams", help="Also list the n-grams inside each word.", rich_help_panel=options.OUTPUT),
    ] = False,
    as_json: options.Json = False,
    _quiet: options.Quiet = False,
    _debug: options.Debug = False,
) -> None:
    """Show the contribution of each word to the logit of a class, or the top features of each class.

    Examples: [bold]tagline explain MODEL "Not a bad film at all."[/] and [bold]tagline explain MODEL[/]
    """
    session = options.session_of(context)
    session.stage("loading the model")
    from tagline.cli.terminal import show, show_json
    from tagline.explain import explain_text, top_features
    from tagline.run_folder import load_model

    if text is not None and not text.strip():
        raise InputError("The text is empty: it has no prediction to explain.")
    classifier = load_model(model)
    if text is None:
        found = top_features(classifier, top, class_name)
        session.close()
        if html is not None:
            from tagline.report.explanation import write_top_features

            write_top_features(html, found)
            session.stage(f"page: {html}")
        if as_json:
            show_json(_model_document(found))
        else:
            from tagline.cli.explanation import model_parts

            show(*model_parts(found))
        return
    explanation = explain_text(classifier, as_unicode(text), class_name)
    session.close()
    if not _knows_a_word(classifier, explanation):
        session.warn("The model knows no word of this text: its prediction is the same for all such texts.")
    if html is not None:
        from tagline.report.explanation import write_explanation

        write_explanation(html, explanation)
        session.stage(f"page: {html}")
    if as_json:
        show_json(_document(explanation))
    else:
        from tagline.cli.explanation import explanation_parts

        show(*explanation_parts(explanation, top, ngrams=ngrams))


def _knows_a_word(classifier: "TextClassifier", explanation: "Explanation") -> bool:
    import polars as pl

    from tagline.explain.explanation import UNKNOWN_WORDS
    from tagline.features.vectorizer import Vectorizer

    if any(part.spans and part.name != UNKNOWN_WORDS for part in explanation.contributions):
        return True
    features = classifier.vectorizer_  # a tree may test no n-gram of the text, though it knows some
    return isinstance(features, Vectorizer) and bool(features.transform(pl.Series([explanation.text])).nnz)


def _document(explanation: "Explanation") -> dict[str, object]:
    return {
        "text": explanation.text,
        "class": str(explanation.class_name),
        "prediction": _names(explanation.prediction),
        "probability": float(explanation.proba),
        "scale": explanation.scale,
        "intercept": float(explanation.intercept),
        "score": float(explanation.score),
        "contributions": [_part(part) for part in explanation.contributions],
        "by_word": [
            {**_part(word), "features": [{"name": part.name, "value": part.value} for part in word.features]}
            for word in explanation.by_word
        ],
        "words": [[start, end, float(value)] for start, end, value in explanation.words()],
    }


def _part(part: "Contribution | WordContribution") -> dict[str, object]:
    return {"name": part.name, "value": part.value, "spans": [list(span) for span in part.spans]}


def _model_document(found: "Sequence[ClassFeatures]") -> dict[str, object]:
    return {
        "classes": [
            {"class": each.class_name, "features": [{"name": name, "weight": value} for name, value in each.features]}
            for each in found
        ]
    }


def _names(prediction: object) -> object:
    return [str(name) for name in prediction] if isinstance(prediction, list | tuple) else str(prediction)
