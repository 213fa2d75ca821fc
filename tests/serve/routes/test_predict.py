"""``POST /v1/predict`` answers what the classifier predicts."""

import pytest

from tests.synthetic_texts import made_up

TEXTS = [*made_up(20, 4, seed=5)[0], "\0", "İstanbul ß 👍🏽", "<b>&amp;</b>", "x" * 2000]


def test_predictions_are_those_of_the_classifier(client, classifier, name):
    body = {"texts": TEXTS, "model": name, "probabilities": True, "top_k": 2}
    answer = client.post("/v1/predict", json=body).json()
    assert answer["model"] == name
    proba = classifier.predict_proba(TEXTS)
    for row, found in enumerate(answer["predictions"]):
        decided = classifier.decide(proba[row : row + 1]).tolist()[0]
        assert found["prediction"] == decided
        assert list(found["probabilities"]) == classifier.classes_.tolist()
        assert list(found["probabilities"].values()) == pytest.approx(proba[row], abs=1e-12)
        assert found["probability"] == (None if name == "labels" else max(found["probabilities"].values()))
        best = sorted(found["probabilities"].items(), key=lambda pair: -pair[1])[:2]
        assert [(given["class"], given["probability"]) for given in found["top"]] == best
        assert found["truncated"] is False


def test_a_text_alone_has_the_prediction_that_it_has_among_others(client, name):
    """Alone it is scored in the event loop, among others in the scoring thread."""
    long = [f"{text} " * (1_900 // (len(text) + 1)) for text in TEXTS]
    options = {"model": name, "probabilities": True, "top_k": 2}
    together = client.post("/v1/predict", json={"texts": [*TEXTS, "", *long], **options}).json()["predictions"]
    for text, found in zip([*TEXTS, "", *long], together, strict=True):
        assert client.post("/v1/predict", json={"text": text, **options}).json()["predictions"] == [found]


def test_an_empty_text_has_a_reason_in_place_of_a_prediction(client, name):
    body = {"texts": ["", TEXTS[0], " \n", "\x1c"], "model": name, "probabilities": True, "top_k": 2}
    found = client.post("/v1/predict", json=body).json()["predictions"]
    nothing = dict.fromkeys(("prediction", "probability", "probabilities", "top"))
    assert found[0] == found[2] == nothing | {"reason": "the text is empty", "truncated": False}
    for some in (found[1], found[3]):  # a separator is no white space in Unicode, but is for `str.isspace`
        assert some["prediction"] is not None
        assert "reason" not in some


def test_a_text_unlike_the_training_texts_has_a_reason_in_place_of_a_prediction(client, classifier, name):
    texts = [TEXTS[0], "Ein Satz auf Deutsch", ""]
    found = client.post("/v1/predict", json={"texts": texts, "model": name, "novelty": 0.05}).json()["predictions"]
    reasons = [None, "unlike the training texts", "the text is empty"]
    assert [given.get("reason") for given in found] == reasons
    assert [given["prediction"] is None for given in found] == [False, True, True]
    assert client.post("/v1/predict", json={"texts": texts[:1], "model": name}).json()["predictions"] == found[:1]
    assert classifier.novelty_p_values(texts[1:2])[0] <= 0.05 < classifier.novelty_p_values(texts[:1])[0]


def test_texts_of_which_the_model_is_unsure(client, classifier, name):
    if classifier.task_ == "multilabel":
        answer = client.post("/v1/predict", json={"text": "a film", "model": name, "unsure_below": 0.5})
        assert answer.json()["error"]["field"] == "unsure_below"
        assert "several labels a text" in answer.json()["error"]["message"]
        return
    proba = classifier.predict_proba(TEXTS).max(axis=1)
    cut = float((proba.min() + proba.max()) / 2)
    body = {"texts": [*TEXTS, ""], "model": name, "unsure_below": cut, "sets": 0.8}
    *found, empty = client.post("/v1/predict", json=body).json()["predictions"]
    assert [row.get("reason") for row in found] == ["unsure" if p < cut else None for p in proba]
    assert [row["prediction"] is None for row in found] == (proba < cut).tolist()
    assert [row["probability"] for row in found] == pytest.approx(proba.tolist())
    assert [row["prediction_set"] for row in found] == list(classifier.predict_sets(TEXTS, 0.8))
    assert empty["reason"] == "the text is empty"
    assert empty["prediction_set"] is None


@pytest.mark.parametrize(
    ("option", "value"),
    [("abstain", 0.99999), ("abstain", 1), ("sets", 0.99999), ("unsure_below", 7), ("by_class", True)],
)
def test_a_guarantee_that_cannot_be_given(client, name, option, value):
    answer = client.post("/v1/predict", json={"text": "a film", "model": name, option: value})
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == option


@pytest.mark.parametrize("share", [0.0001, 0, 1.1, "much"])
def test_an_invalid_share_of_novelty(client, name, share):
    answer = client.post("/v1/predict", json={"text": "a film", "model": name, "novelty": share})
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == "novelty"


def test_one_text_gets_what_it_gets_among_many(client, name):
    together = client.post("/v1/predict", json={"texts": TEXTS, "model": name, "probabilities": True}).json()
    for text, found in zip(TEXTS, together["predictions"], strict=True):
        alone = client.post("/v1/predict", json={"text": text, "model": name, "probabilities": True}).json()
        assert alone["predictions"] == [found]


def test_a_threshold_changes_the_prediction(client, classifier, name):
    body = {"texts": TEXTS, "model": name, "threshold": 0.999}
    answer = client.post("/v1/predict", json=body)
    if name == "four":
        assert answer.status_code == 422
        assert answer.json()["error"]["field"] == "threshold"
        return
    decided = classifier.decide(classifier.predict_proba(TEXTS), threshold=0.999).tolist()
    assert [found["prediction"] for found in answer.json()["predictions"]] == decided
