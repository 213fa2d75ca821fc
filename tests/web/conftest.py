"""A browser, the served page in it, and models that train in a moment."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tagline.runs.settings import TrainSettings
from tagline.runs.train import train_run
from tests.synthetic_texts import made_up, several
from tests.web.browsing import CHROMIUM, DESK, QUIET, Heard, Opener, serving

PATIENCE_MS = 30_000  # a busy machine is no failure
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Run folders: two classes, several labels, and 77 classes with names that strain a page."""
    folder = tmp_path_factory.mktemp("runs")
    texts, labels = made_up(400, noise=0.2)
    pairs = list(zip(texts, labels, strict=True))
    train_run(pairs, TrainSettings(), out=folder / "two")
    texts, lists = several(300)
    train_run(list(zip(texts, lists, strict=True)), TrainSettings(), out=folder / "several")
    names = [f"a_class_with_a_rather_long_name_{k:02}" for k in range(77)]
    names[3], names[5], names[7] = "مرحبا بالعالم", "🎬 <b>bold</b> & film", "Donaudampfschifffahrtsgesellschaft" * 3
    many = [(f"the film of w{k} and v{k} was x{n}", name) for n in range(12) for k, name in enumerate(names)]
    train_run(many, TrainSettings(), out=folder / "many")
    return {name: folder / name for name in ("two", "several", "many")}


@pytest.fixture(scope="session")
def server(runs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(runs, tmp_path_factory.mktemp("server") / "log") as address:
        yield address


@pytest.fixture(scope="module")  # Playwright runs once in a process at a time, and others need it too
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.fail("The browser tests need Chromium: run `make system`, or `sudo apt-get install chromium`.")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def opened(browser: Browser, server: str, heard: Heard) -> Iterator[Opener]:
    """Return what opens the page: ``opened("#text=good", **settings of the context)``."""
    contexts: list[BrowserContext] = []

    def open_page(fragment: str = "", *, address: str = server, **settings: object) -> Page:
        context = browser.new_context(**{"viewport": DESK, "reduced_motion": "reduce"} | settings)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = heard.listen(context.new_page())
        # Interception takes effect after a while: started only when a key opens the file chooser, it may miss it.
        page.on("filechooser", lambda chooser: None)
        page.goto(address + fragment)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert heard.words == []
