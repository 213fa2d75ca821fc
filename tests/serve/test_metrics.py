"""Prometheus metrics."""


def test_metrics_count(client):
    def figures():
        lines = client.get("/metrics").text.splitlines()
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}

    before = figures()
    client.post("/v1/predict", json={"texts": ["a", "b", "c"]})
    client.post("/v1/predict", json={"texts": []})
    after = figures()

    def grown(name):
        return after[name] - before.get(name, 0)

    assert grown('tagline_requests_total{path="/v1/predict",status="200"}') == 1
    assert grown('tagline_requests_total{path="/v1/predict",status="422"}') == 1
    assert grown('tagline_texts_total{model="two"}') == 3
    assert grown('tagline_rejected_total{code="invalid_request"}') == 1
    assert grown('tagline_request_seconds_count{path="/v1/predict"}') == 2
    assert after["tagline_in_flight"] == 1
    assert [name for name in after if name.startswith('tagline_model_info{model="four"')]
    assert not [name for name in after if name.startswith("python_gc_")]
    assert client.get("/metrics").headers["content-type"].startswith("text/plain; version=0.0.4")
