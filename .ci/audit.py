"""`make audit`: look up the versions of constraints.txt in a database of vulnerabilities, with pip-audit.

The status is 1 if there is a vulnerability that accepted-advisories.txt does not list, and 0 if there is none or the
database cannot be reached, pip-audit cannot be installed, or they take too long, which is announced in one line.
pip-audit has an environment of its own and is installed
only if the database answers: it would otherwise cost every installation of the tools some seconds.
"""

import http.client
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
ACCEPTED = ROOT / ".ci" / "accepted-advisories.txt"
OSV = os.environ.get("TAGLINE_OSV", "https://api.osv.dev/v1/query")
PIP_AUDIT = Path(os.environ.get("TAGLINE_PIP_AUDIT", ROOT / ".venv" / "audit" / "bin" / "pip-audit"))
PINNED = "pip-audit==2.10.1"
SECONDS = 5  # to wait for the first answer
LONGEST = 300  # seconds that the installation of pip-audit may take, and the audit


def accepted(lines: list[str]) -> list[str]:
    """Return the identifiers of a list of advisories, each of which must have a reason."""
    entries = [line.split(None, 1) for line in lines if line.strip() and not line.startswith("#")]
    for entry in entries:
        if len(entry) < 2:
            sys.exit(f"error: `{ACCEPTED.name}` accepts {entry[0]} without a reason: add one.")
    return [entry[0] for entry in entries]


def reason_for_silence() -> Exception | None:
    """Return why the database does not answer, or None if it does."""
    question = b'{"package": {"name": "pip", "ecosystem": "PyPI"}, "version": "1.0"}'
    request = urllib.request.Request(OSV, question, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            json.load(answer)  # a proxy may answer with a page
            return None
    except (OSError, http.client.HTTPException, ValueError) as error:
        return error


def main() -> int:
    """Return the status of the command."""
    ignored = accepted(ACCEPTED.read_text("utf-8").splitlines())
    if silence := reason_for_silence():
        return skipped(f"{OSV} does not answer ({silence})")
    try:
        if not PIP_AUDIT.exists():
            install_pip_audit()
    except subprocess.SubprocessError:
        return skipped("pip-audit cannot be installed")
    try:
        return run_pip_audit(ignored)
    except subprocess.TimeoutExpired:
        return skipped(f"it took more than {LONGEST} s")


def skipped(reason: str) -> int:
    """Announce that nothing was looked up, and return the status."""
    print(f"warning: the audit is skipped, because {reason}.", file=sys.stderr)
    return 0


def install_pip_audit() -> None:
    """Install it in an environment of its own."""
    venv.create(ROOT / ".venv" / "audit", with_pip=True, clear=True)
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", PINNED]
    command = [PIP_AUDIT.with_name("python"), *install, "-c", ROOT / "constraints.txt"]
    subprocess.run(command, check=True, timeout=LONGEST)


def run_pip_audit(ignored: list[str]) -> int:
    """Return its status."""
    pins = [line.partition("+")[0] for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()]
    with tempfile.TemporaryDirectory() as folder:
        # The database has no local versions such as 2.13.0+cpu.
        requirements = Path(folder) / "constraints.txt"
        requirements.write_text("\n".join(pins) + "\n", "utf-8")
        options = ["--no-deps", "--disable-pip", "--progress-spinner", "off", "--vulnerability-service", "osv"]
        command = [PIP_AUDIT, "--requirement", requirements, *options, "--osv-url", OSV]
        command += [f"--ignore-vuln={name}" for name in ignored]
        return subprocess.run(command, timeout=LONGEST).returncode


if __name__ == "__main__":
    sys.exit(main())
