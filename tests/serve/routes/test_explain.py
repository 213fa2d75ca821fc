"""``POST /v1/explain`` answers what the classifier explains."""

import pytest

from tagline.explain import explain_text


def test_explanations_are_those_of_the_classifier(client, classifier, name):
    text = "a great film 👍🏽 and a dull goal"
    for class_name in (None, "c1"):
        body = {"text": text, "model": name} | ({"class": class_name} if class_name else {})
        answer = client.post("/v1/explain", json=body).json()
        expected = explain_text(classifier, text, class_name)
        assert answer["class"] == expected.class_name
        assert answer["score"] == pytest.approx(expected.score, abs=1e-12)
        assert answer["intercept"] + sum(p["value"] for p in answer["contributions"]) == pytest.approx(answer["score"])
        assert [tuple(word) for word in answer["words"]] == [pytest.approx(word) for word in expected.words()]
        assert [part["spans"] for part in answer["contributions"]] == [
            [list(span) for span in part.spans] for part in expected.contributions
        ]
        assert {word["name"]: word["value"] for word in answer["by_word"]} == pytest.approx(
            {word.name: word.value for word in expected.by_word}
        )
        assert list(answer["probabilities"]) == classifier.classes_.tolist()


def test_novelty_is_added_on_request(client, classifier, name):
    for text in ("a great film and a dull goal", "zxqw plok"):
        body = {"text": text, "model": name}
        assert "novelty_p_value" not in client.post("/v1/explain", json=body).json()
        found = client.post("/v1/explain", json=body | {"novelty": True}).json()
        assert found["novelty_p_value"] == classifier.novelty_p_values([text])[0]
