"""`explain_text`: a classifier and a text to an explanation."""

from tagline.classifier import TextClassifier
from tagline.errors import InputError, nearest
from tagline.explain.explanation import Explanation, Scale
from tagline.explain.network import attribute_network
from tagline.explain.ngram import attribute_ngrams
from tagline.features.encoder import Encoder
from tagline.features.vectorizer import Vectorizer
from tagline.models import Network, OnnxModel, TreeModel


def explain_text(classifier: TextClassifier, text: str, class_name: str | None = None) -> Explanation:
    """Explain what ``classifier`` says of one text.

    Args:
        classifier: a fitted or loaded classifier.
        text: the text.
        class_name: the class whose score to explain; by default the one predicted.

    Raises:
        InputError: there is no such class, the model learnt from ids without words and cannot read texts, or it runs
            in ONNX Runtime.

    """
    proba = classifier.predict_proba([text])
    if isinstance(classifier.model_, OnnxModel):
        raise InputError("What runs in ONNX Runtime explains nothing: explain the model that it was made of.")
    names = [str(name) for name in classifier.classes_]
    decided = classifier.decide(proba)[0]
    if class_name is None:
        index = names.index(str(decided)) if classifier.task_ != "multilabel" else int(proba[0].argmax())
    elif class_name in names:
        index = names.index(class_name)
    else:
        raise InputError(f"The model has no class `{class_name}`.{nearest(class_name, names)}")
    one_output = len(names) == 2 and classifier.task_ != "multilabel"
    output = 0 if one_output else index
    sign = -1.0 if one_output and index == 0 else 1.0
    model, features = classifier.model_, classifier.vectorizer_
    if isinstance(model, Network):
        assert isinstance(features, Encoder)
        found = attribute_network(model, features, text, output, sign / classifier.temperature_)
    else:
        assert isinstance(features, Vectorizer)
        found = attribute_ngrams(model, features, text, output, sign, classifier.temperature_)
    return Explanation(
        text=text,
        class_name=names[index],
        prediction=", ".join(map(str, decided)) if isinstance(decided, list) else str(decided),
        proba=float(proba[0, index]),
        scale=_scale(classifier),
        intercept=found.intercept,
        score=found.score,
        contributions=found.contributions,
        _words=found.words,
    )


def _scale(classifier: TextClassifier) -> Scale:
    if isinstance(classifier.model_, TreeModel):
        return "probability"
    return "score" if classifier.task_ == "multiclass" else "log-odds"
