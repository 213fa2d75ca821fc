"""One cluster for all tests, as its start takes many seconds."""

from collections.abc import Iterator

import pytest

from tests.engines.cluster.raylets import RayCluster


@pytest.fixture(scope="package")
def cluster() -> Iterator[RayCluster]:
    with RayCluster() as started:
        yield started
