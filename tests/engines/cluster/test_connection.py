"""Why there is no connection to a cluster, in one line."""

import socket
from pathlib import Path

import pytest

from tagline.engines.cluster.connection import connected
from tagline.errors import InputError
from tests.engines.cluster.raylets import RayCluster


def test_an_address_where_nothing_listens_is_refused_at_once() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{bound.getsockname()[1]}"
        with pytest.raises(InputError, match=f"^There is no Ray cluster at `{address}` .connection refused.: start"):
            connected(address).__enter__()


@pytest.mark.parametrize("address", ["10.0.0.1", "ray://10.0.0.1:10001", ":6379", "host:port"])
def test_what_is_not_an_address_is_refused(address: str) -> None:
    with pytest.raises(InputError, match=f"^`{address}` is not the address of a Ray cluster: give `HOST:PORT`"):
        connected(address).__enter__()


@pytest.mark.slow
@pytest.mark.alone
def test_a_missing_token_is_one_line(cluster: RayCluster, tmp_path: Path) -> None:
    environment = {name: value for name, value in cluster.environment.items() if not name.startswith("RAY_AUTH")}
    (tmp_path / "new.csv").write_text("text\na film\n")
    model = Path(__file__).parents[2] / "golden" / "bundle-v4"
    command = ["predict", model, "--input", tmp_path / "new.csv", "--engine", "ray", "--address", cluster.address]
    done = cluster.run(*command, env=environment)
    assert (done.returncode, done.stdout) == (2, "")
    *_, connecting, error = done.stderr.splitlines()
    assert connecting.endswith("connecting to the Ray cluster")
    assert error.startswith(
        f"error: The Ray cluster at `{cluster.address}` needs a token, and this machine has none: set `RAY_AUTH_TOKEN`"
    )
