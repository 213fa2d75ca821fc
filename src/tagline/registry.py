"""Registries that grow by a module: one module is one entry."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any


def load_entries(package: str, name: str) -> list[Any]:
    """Return the object called ``name`` of each module of a package, in the order of module names.

    Modules without one, such as shared helpers, are no entries.
    """
    names = sorted(module.name for module in iter_modules(import_module(package).__path__))
    modules = [import_module(f"{package}.{module}") for module in names]
    return [getattr(module, name) for module in modules if hasattr(module, name)]
