"""`make sbom`: write a CycloneDX document of tagline and what it needs at run time, from the metadata of .venv.

It lists the packages that tagline and its extras require, except the extras for development, with their versions,
licenses and dependencies. Everything comes from the installed metadata: nothing is downloaded.
"""

import json
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

DEVELOPMENT = {"bench", "dev", "fuzz", "site"}


def required(found: Distribution, extras: set[str]) -> dict[str, set[str]]:
    """Return the names that a package with some extras requires here, each with the extras that it must have."""
    names: dict[str, set[str]] = {}
    for line in found.requires or []:
        requirement = Requirement(line)
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in {"", *extras}):
            names.setdefault(canonicalize_name(requirement.name), set()).update(requirement.extras)
    return names


def collect(name: str, extras: set[str]) -> dict[str, tuple[Distribution, set[str]]]:
    """Return a package and all that it requires, each with the names of its own dependencies."""
    collected: dict[str, tuple[Distribution, set[str]]] = {}
    seen: dict[str, set[str]] = {}
    waiting = [(name, extras)]
    while waiting:
        name, extras = waiting.pop()
        if name in seen and extras <= seen[name]:
            continue
        seen[name] = seen.get(name, set()) | extras
        found = distribution(name)
        names = required(found, seen[name])
        collected[name] = (found, set(names))
        waiting.extend(names.items())
    return collected


def reference(name: str, found: Distribution) -> str:
    """Return the package URL."""
    return f"pkg:pypi/{name}@{found.version.replace('+', '%2B')}"


def component(name: str, found: Distribution) -> dict[str, Any]:
    """Return the component of a package."""
    about: dict[str, Any] = {"type": "library", "bom-ref": reference(name, found), "name": name}
    about |= {"version": found.version, "purl": reference(name, found)}
    metadata = found.metadata.json
    if expression := metadata.get("license_expression"):
        about["licenses"] = [{"expression": expression}]
    elif (named := metadata.get("license", "")) and "\n" not in named:  # others hold the whole text
        about["licenses"] = [{"license": {"name": named}}]
    return about


def document() -> dict[str, Any]:
    """Return the document, the same for the same packages."""
    extras = set(distribution("tagline").metadata.get_all("Provides-Extra") or []) - DEVELOPMENT
    packages = dict(sorted(collect("tagline", extras).items()))
    references = {name: reference(name, found) for name, (found, _) in packages.items()}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": component("tagline", packages["tagline"][0])},
        "components": [component(name, found) for name, (found, _) in packages.items() if name != "tagline"],
        "dependencies": [
            {"ref": references[name], "dependsOn": sorted(references[other] for other in needs)}
            for name, (_, needs) in packages.items()
        ],
    }


def main(target: str) -> int:
    """Return the status of the command."""
    try:
        written = document()
    except PackageNotFoundError as error:
        print(f"error: `{error.name}` is not installed: run `make setup`.", file=sys.stderr)
        return 1
    Path(target).write_text(json.dumps(written, indent=1) + "\n", "utf-8")
    print(f"{target}: tagline and {len(written['components'])} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
