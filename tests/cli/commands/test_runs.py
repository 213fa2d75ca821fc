"""``tagline runs``."""

import json
import shutil


def test_runs(call, run_folder, topics_run, here, monkeypatch):
    shutil.copytree(run_folder, here / "runs" / "first")
    shutil.copytree(topics_run, here / "runs" / "second")
    (here / "runs" / "notes").mkdir()
    (here / "runs" / "broken").mkdir()
    (here / "runs" / "broken" / "run.json").write_text("{")
    status, out, err = call("runs")
    assert status == 0
    lines = out.splitlines()
    assert "test accuracy" in lines[0]
    assert sorted(line.split()[0] for line in lines[2:]) == ["first", "second"]
    assert "broken" in err
    monkeypatch.setenv("COLUMNS", "60")
    narrow = call("runs")[1].splitlines()
    assert [line.split()[:1] for line in narrow].count(["first"]) == 2  # in two blocks, without the cells cut
    assert max(map(len, narrow)) <= 60
    assert set(" ".join(narrow).replace("─", "").split()) == set(out.replace("─", "").split())
    status, out, _ = call("runs", "--json", "-q")
    first, second = sorted(json.loads(out), key=lambda run: run["name"])
    metrics = json.loads((run_folder / "metrics.json").read_text())
    assert first["accuracy"] == metrics["test"]["accuracy"]
    assert first["accuracy_ci95"] == metrics["test"]["accuracy_ci95"]
    assert first["seconds"] == metrics["seconds"]["total"]
    assert (second["recipe"], second["dataset"], second["task"]) == ("naive-bayes", "topics", "multiclass")


def test_no_runs_yet(call, here):
    status, out, _ = call("runs")
    assert status == 0
    assert "tagline train" in out
    status, out, _ = call("runs", "--json")
    assert json.loads(out) == []
