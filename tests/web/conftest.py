"""A browser, the served page in it, and models that train in a moment."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tagline.decisions.cost_table import as_costs
from tagline.runs.settings import TrainSettings
from tagline.runs.train import train_run
from tests.synthetic_texts import made_up, several, unclear
from tests.web.browsing import CHROMIUM, DESK, KEY, QUIET, Heard, Opener, serving

PATIENCE_MS = 30_000  # a busy machine is no failure
expect.set_options(timeout=PATIENCE_MS)
FORGET = "(address) => { sessionStorage.clear(); history.replaceState(null, '', address); }"


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Run folders: two classes, several labels, three unclear classes, also by costs, and 77 that strain a page."""
    folder = tmp_path_factory.mktemp("runs")
    texts, labels = made_up(400, noise=0.2)
    pairs = list(zip(texts, labels, strict=True))
    train_run(pairs, TrainSettings(), out=folder / "two")
    texts, lists = several(300)
    noisy = [sorted({*given, f"c{n // 10 % 3}"}) if n % 10 == 0 else given for n, given in enumerate(lists)]
    train_run(list(zip(texts, noisy, strict=True)), TrainSettings(), out=folder / "several")
    rows = list(zip(*unclear(600), strict=True))
    train_run(rows, TrainSettings(), out=folder / "unclear")
    names = sorted({label for _, label in rows})
    costs = as_costs([[0, 9, 9], [1, 0, 1], [1, 1, 0]], names)
    train_run(rows, TrainSettings(costs=costs), out=folder / "costs")
    names = [f"a_class_with_a_rather_long_name_{k:02}" for k in range(77)]
    names[3], names[5], names[7] = "مرحبا بالعالم", "🎬 <b>bold</b> & film", "Donaudampfschifffahrtsgesellschaft" * 3
    many = [(f"the film of w{k} and v{k} was x{n}", name) for n in range(12) for k, name in enumerate(names)]
    train_run(many, TrainSettings(), out=folder / "many")
    return {name: folder / name for name in ("two", "several", "unclear", "costs", "many")}


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


@pytest.fixture(scope="module")
def locked_server(runs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving({"two": runs["two"]}, tmp_path_factory.mktemp("locked") / "log", key=KEY) as address:
        yield address


@pytest.fixture(scope="module")
def shared(browser: Browser) -> Iterator[Page]:
    """A page that tests open one after the other: a new context costs four times as much as loading the page again."""
    with _new_page(browser) as page:
        yield page


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def opened(browser: Browser, shared: Page, server: str, heard: Heard) -> Iterator[Opener]:
    """Return what opens the page: ``opened("#text=good", **settings)``.

    With settings of a context, or at another address, it is opened in a context of its own.
    """
    with ExitStack() as own:

        def open_page(
            fragment: str = "",
            *,
            address: str = server,
            viewport: dict[str, int] = DESK,
            color_scheme: str = "light",
            forced_colors: str = "none",
            **context: object,
        ) -> Page:
            page = shared
            if context or address != server:
                page = heard.listen(own.enter_context(_new_page(browser, **context)))
            page.set_viewport_size(viewport)
            page.emulate_media(color_scheme=color_scheme, forced_colors=forced_colors, reduced_motion="reduce")
            if page.url.startswith(address):  # going to another fragment would not load the page
                page.evaluate(FORGET, address + fragment)
                page.reload()
            else:
                page.goto(address + fragment)
            return page

        heard.listen(shared)
        yield open_page
        shared.unroute_all(behavior="ignoreErrors")
        heard.leave(shared)
    assert heard.words == []


@contextmanager
def _new_page(browser: Browser, **context: object) -> Iterator[Page]:
    with browser.new_context(**context) as made:
        made.set_default_timeout(PATIENCE_MS)
        page = made.new_page()
        # Interception takes effect after a while: started only when a key opens the file chooser, it may miss it.
        page.on("filechooser", lambda chooser: None)
        yield page
