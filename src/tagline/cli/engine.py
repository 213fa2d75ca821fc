"""The engine that a command runs on."""

from collections.abc import Iterator
from contextlib import contextmanager

from tagline.cli.options import EngineName
from tagline.cli.terminal import Session
from tagline.engines import LOCAL, Engine


@contextmanager
def engine_of(session: Session, name: EngineName, address: str | None) -> Iterator[Engine]:
    """Yield the engine of this name; that of a Ray cluster is connected meanwhile."""
    if name is EngineName.LOCAL:
        yield LOCAL
        return
    from tagline.engines.cluster import ray_engine

    session.stage("connecting to the Ray cluster")
    with ray_engine(address, session.stage, session.warn) as engine:
        yield engine
