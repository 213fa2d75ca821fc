"""Import paths of earlier versions."""

import sys
import warnings
from importlib import import_module

import pytest

from tagline.deprecated import MOVED


@pytest.mark.parametrize("old", MOVED)
def test_an_old_path_warns_and_gives_the_module_at_its_new_place(old: str) -> None:
    for name in [name for name in sys.modules if name in MOVED]:
        del sys.modules[name]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = import_module(old)
    assert f"`{old}` has moved to `{MOVED[old]}`." in [str(warning.message) for warning in caught]
    assert found.__name__ == MOVED[old]
    assert found.__spec__.name == MOVED[old]
    assert import_module(MOVED[old]) is found
