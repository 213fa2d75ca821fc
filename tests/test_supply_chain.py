"""What could run foreign code: versions of dependencies, their audit and bill of materials, and our own modules."""

import ast
import json
import os
import runpy
import subprocess
import sys
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import tagline

ROOT = Path(__file__).parents[1]


def pins():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return {
        canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines) if version
    }


def audit(address, **environment):
    environment = {**os.environ, "TAGLINE_OSV": address, **environment}
    return subprocess.run(
        [sys.executable, ROOT / ".ci" / "audit.py"], env=environment, capture_output=True, text=True, timeout=60
    )


class Database(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.content)

    def log_message(self, *_):
        pass


@pytest.fixture
def database():
    with HTTPServer(("127.0.0.1", 0), Database) as server:
        server.status, server.content = 200, b"{}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_the_audit_has_the_status_of_pip_audit_and_is_skipped_without_a_database(database, tmp_path):
    tool, seen = tmp_path / "pip-audit", tmp_path / "seen.json"
    tool.write_text(
        f"#!{sys.executable}\nimport json, pathlib, sys\n"
        "pins = pathlib.Path(sys.argv[sys.argv.index('--requirement') + 1]).read_text()\n"
        f"pathlib.Path({str(seen)!r}).write_text(json.dumps([pins, *sys.argv[1:]]))\n"
        "sys.exit(1)\n"
    )
    tool.chmod(0o755)
    address = f"http://127.0.0.1:{database.server_port}/v1/query"
    done = audit(address, TAGLINE_PIP_AUDIT=str(tool))
    assert (done.returncode, done.stderr) == (1, "")
    requirements, *arguments = json.loads(seen.read_text())
    assert f"onnx=={pins()['onnx']}\n" in requirements
    assert "+" not in requirements  # a local version, which a database does not know
    assert arguments[-2:] == ["--osv-url", address]
    database.status = 503
    for unanswered in (address, "http://127.0.0.1:9/v1/query"):
        done = audit(unanswered, TAGLINE_PIP_AUDIT="/nowhere")
        assert done.returncode == 0
        assert done.stderr.startswith("warning: the audit is skipped, because http://127.0.0.1")
        assert done.stderr.count("\n") == 1


def test_the_audit_is_skipped_if_a_page_answers_or_it_takes_too_long(database, tmp_path, capsys):
    module = runpy.run_path(str(ROOT / ".ci" / "audit.py"))
    audit = module["main"].__globals__
    database.content = b"<html>log in</html>"
    audit["OSV"] = f"http://127.0.0.1:{database.server_port}/v1/query"
    assert audit["main"]() == 0
    assert "does not answer (Expecting value" in capsys.readouterr().err
    database.content = b"{}"
    audit["PIP_AUDIT"], audit["LONGEST"] = tmp_path / "pip-audit", 0.1
    audit["PIP_AUDIT"].write_text("#!/bin/sh\nexec sleep 60\n")
    audit["PIP_AUDIT"].chmod(0o755)
    assert audit["main"]() == 0
    assert capsys.readouterr().err == "warning: the audit is skipped, because it took more than 0.1 s.\n"


def test_an_advisory_is_accepted_with_a_reason_only():
    accepted = runpy.run_path(str(ROOT / ".ci" / "audit.py"))["accepted"]
    assert accepted(["# a comment", "", "CVE-1  not called", "GHSA-2 needs a server"]) == ["CVE-1", "GHSA-2"]
    with pytest.raises(SystemExit, match="CVE-1 without a reason"):
        accepted(["CVE-1 "])


def test_the_bill_of_materials_has_what_runs_and_no_tool_of_development():
    document = runpy.run_path(str(ROOT / ".ci" / "sbom.py"))["document"]()
    assert (document["bomFormat"], document["metadata"]["component"]["name"]) == ("CycloneDX", "tagline")
    versions = {component["name"]: component["version"] for component in document["components"]}
    assert {"numpy", "polars", "polars-runtime-32", "starlette", "h11", "torch", "onnxruntime"} <= versions.keys()
    assert not {"pytest", "mypy", "ruff", "playwright", "hypothesis", "keras", "mkdocs", "tagline"} & versions.keys()
    assert {name: pins().get(name) for name in versions} == versions
    references = {part["bom-ref"] for part in (*document["components"], document["metadata"]["component"])}
    assert {entry["ref"] for entry in document["dependencies"]} == references
    assert {needed for entry in document["dependencies"] for needed in entry["dependsOn"]} < references


def test_the_tested_versions_are_allowed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    listed = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    for requirement in map(Requirement, listed):
        pinned = pins().get(canonicalize_name(requirement.name))
        if pinned is not None:  # the tools of benchmarks are not
            assert requirement.specifier.contains(pinned), requirement


# An unpickler of nothing but stand-ins (tests/keras_datasets), the error of torch's own, a pipe between own processes.
RESTRICTED = {Path("keras_datasets/npz.py"), Path("training/checkpoint.py"), Path("plots/process.py")}


def test_no_module_can_execute_what_it_reads() -> None:
    forbidden = {"pickle", "cPickle", "joblib", "dill", "cloudpickle", "marshal", "shelve"}
    package = Path(tagline.__file__).parent
    sources = list(package.rglob("*.py"))
    assert len(sources) > 40
    for source in sources:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec", "__import__"}, source
            elif isinstance(node, ast.keyword):
                assert node.arg != "allow_pickle" or ast.unparse(node.value) == "False", source
            found = forbidden & {name.partition(".")[0] for name in names}
            assert not found or source.relative_to(package) in RESTRICTED, source
