"""A replaced bundle is loaded without losing a request."""

import asyncio
import io
import json
import os
import shutil
import signal
import time

import pytest

from tagline import TextClassifier
from tagline.serve import model_store
from tagline.serve.http.access_log import AccessLog
from tagline.serve.metrics import Metrics
from tagline.serve.model_store import ModelStore
from tests.serve.service import TEXTS, Load, serving, waited
from tests.synthetic_texts import made_up


def fitted(seed):
    return TextClassifier("fast").fit(*made_up(300, seed=seed))


def version_of(model):
    return json.loads((model / "tagline.json").read_bytes())["sha256"]


@pytest.mark.slow
def test_a_replaced_bundle_is_taken_without_losing_a_request(models, tmp_path):
    model = tmp_path / "model"
    shutil.copytree(models["two"], model)
    first, second, third = version_of(model), fitted(7), fitted(8)
    second.save(tmp_path / "second")
    with serving(tmp_path, "--model", f"served={model}") as server, server.client() as client:

        def serves(version):
            return client.get("/v1/models").json()["models"][0]["version"] == version

        with Load(server, 4, pause=0.02) as load:
            assert serves(first)
            second.save(model)
            waited(lambda: serves(version_of(model)), 60)
            third.save(tmp_path / "third")
            shutil.copy(tmp_path / "third" / "tagline.json", model)  # a copy that is under way
            failed = server.logged("reload_failed", 60)
            assert "damaged" in failed["message"]
            assert serves(version_of(tmp_path / "second"))
            server.process.send_signal(signal.SIGHUP)
            waited(lambda: [line["event"] for line in server.lines()].count("reload_failed") > 1, 60)
            assert server.logged("reload_requested")
            shutil.rmtree(model)
            time.sleep(1.5)
            assert serves(version_of(tmp_path / "second"))
            shutil.copytree(tmp_path / "third", model)
            waited(lambda: serves(version_of(model)), 60)
            answer = client.post("/v1/predict", json={"texts": TEXTS, "probabilities": True}).json()
        assert not load.lost
        assert set(load.statuses) == {200}
        assert set(load.versions) >= {first, version_of(model)}
        proba = [found["probabilities"]["c1"] for found in answer["predictions"]]
        assert proba == pytest.approx(third.predict_proba(TEXTS)[:, 1], abs=1e-12)
        metrics = client.get("/metrics").text
        assert 'tagline_reloads_total{model="served",result="ok"} 2.0' in metrics
        assert 'tagline_reloads_total{model="served",result="failed"}' in metrics
        assert metrics.count("tagline_model_info{") == 1


@pytest.mark.parametrize("harm", ["pipe", "nested", "hole", "missing"])
def test_an_index_that_cannot_be_read_is_reported_once_and_holds_up_nothing(harm, tmp_path, monkeypatch):
    monkeypatch.setattr(model_store, "POLL_SECONDS", 0.02)
    model, written = tmp_path / "model", io.StringIO()
    fitted(7).save(model)
    log = AccessLog(written)
    store = ModelStore({"served": model}, None, log, Metrics([]))
    first, index = store.find(None).version, model / "tagline.json"
    good = index.read_bytes()
    index.unlink()
    if harm == "pipe":
        os.mkfifo(index)
    elif harm == "nested":
        index.write_text("[" * 100_000)
    elif harm == "hole":
        with index.open("ab") as file:
            file.truncate(3 << 30)

    async def watched(seconds):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(store.watch(), seconds)

    asyncio.run(watched(0.4))
    assert store.find(None).version == first
    index.unlink(missing_ok=True)
    index.write_bytes(good)
    fitted(8).save(model)
    asyncio.run(watched(1.0))
    assert store.find(None).version == version_of(model) != first
    log.close()
    events = [json.loads(line)["event"] for line in written.getvalue().splitlines()]
    assert events == ["reload_failed", "reloaded"]
