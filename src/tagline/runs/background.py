"""Imports in a thread, of what is slow to import and needed later; an error is raised again where it is needed."""

import threading
from collections.abc import Callable
from contextlib import suppress

from tagline.compiled import COMPILED


def import_for_network() -> None:
    """Import what trains networks, two seconds for torch, and what draws plots, a third of a second."""

    def load() -> None:
        import scipy.special  # noqa: F401

        import tagline.classifier
        import tagline.plots.save
        import tagline.report
        import tagline.training  # noqa: F401

    _in_thread(load)


def import_for_ngrams() -> None:
    """Import what is needed after the fit, and compile the report's templates, while compiled code counts and fits.

    Plots are drawn by another process.
    """
    import scipy.linalg  # noqa: F401 (what follows needs it, and fitting too: imported by two threads, it may deadlock)

    def load() -> None:
        if not COMPILED:
            import sklearn.svm  # noqa: F401
        import scipy.special  # noqa: F401

        import tagline.explain  # noqa: F401
        from tagline.report import compile_templates

        compile_templates()

    _in_thread(load)


def _in_thread(load: Callable[[], None]) -> None:
    def run() -> None:
        with suppress(ImportError):
            load()

    threading.Thread(target=run, daemon=True).start()
