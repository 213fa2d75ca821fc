import pytest

from tagline import TextClassifier


@pytest.fixture(scope="session", params=["two", "four", "labels"])
def name(request):
    return request.param


@pytest.fixture(scope="session")
def classifier(models, name):
    return TextClassifier.load(models[name])
