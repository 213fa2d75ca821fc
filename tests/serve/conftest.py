from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tagline import TextClassifier
from tests.serve.service import Running, serving
from tests.synthetic_texts import made_up, several

KEY = "a-key-that-nobody-guesses-0123"
ORIGIN = "https://example.org"


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Three small models: of two classes, of four, and of several labels."""
    folder = tmp_path_factory.mktemp("models")
    made = {"two": made_up(300), "four": made_up(400, 4), "labels": several(300)}
    for name, (texts, labels) in made.items():
        TextClassifier("fast").fit(texts, labels).save(folder / name)
    return {name: folder / name for name in made}


@pytest.fixture(scope="session")
def server(models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server of all three models, with small limits."""
    folder = tmp_path_factory.mktemp("server")
    named = [f"--model={name}={path}" for name, path in models.items()]
    limits = ["--max-texts", 50, "--max-chars", 2000, "--max-body", 0.2, "--max-file", 0.5, "--timeout", 3]
    with serving(folder, *named, *limits) as running:
        yield running


@pytest.fixture(scope="session")
def client(server: Running) -> Iterator[httpx.Client]:
    with server.client() as made:
        yield made


@pytest.fixture(scope="session")
def locked(models, tmp_path_factory):
    """A server with a key, that pages of one origin may ask."""
    folder = tmp_path_factory.mktemp("locked")
    (folder / "key").write_text(f"{KEY}\n")
    options = ["--api-key-file", folder / "key", "--cors", ORIGIN, "--title", "Reviews"]
    with serving(folder, models["two"], *options) as running:
        yield running
