"""Why there is no connection to a cluster, in one line."""

import socket
from importlib.metadata import version
from pathlib import Path

import pytest

from tagline.engines.cluster.connection import connected, explained
from tagline.engines.cluster.nodes import difference, versions_function
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


def test_other_versions_of_ray_are_one_line() -> None:
    from ray._private.utils import check_version_info

    with pytest.raises(RuntimeError) as raised:
        check_version_info({"ray_version": "2.9.3", "python_version": "3.9.1"}, "this process")
    message = str(explained(raised.value, "10.0.0.1:6379"))
    start = "The Ray cluster at `10.0.0.1:6379` has Ray: 2.9.3, Python: 3.9.1, this machine Ray: "
    assert message.startswith(start)
    assert message.endswith(": install the same versions on all nodes.")


def test_a_node_without_tagline_is_named() -> None:
    found = versions_function()(("tagline", "no-such-package"))
    assert found == {"tagline": version("tagline"), "no-such-package": None}
    assert difference("10.0.0.2", "tagline", None, "1.0") == (
        "The node `10.0.0.2` has no tagline: run `pip install tagline==1.0` there, or stop Ray on it."
    )
    assert difference("10.0.0.2", "polars", "1.9", "2.1") == (
        "The node `10.0.0.2` has polars 1.9, this machine 2.1: install the same version on all nodes."
    )


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
