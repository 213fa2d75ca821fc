"""Where work runs: in this process, or on the nodes of a Ray cluster. Results are the same."""

from tagline.engines.base import Engine
from tagline.engines.local import LOCAL

__all__ = ["LOCAL", "Engine"]
