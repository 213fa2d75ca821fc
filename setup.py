"""Builds the compiled extensions; everything else about the package is in pyproject.toml.

Each `.pyx` file below src/tagline is an extension. Without a C compiler the installation succeeds, and tagline takes
its NumPy path; with `TAGLINE_REQUIRE_COMPILED=1` in the environment it fails.
"""

import os
import sys
import sysconfig
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

SOURCE = Path("src")
# The same results on every processor: no instructions that some lack, no sums in another order, and no product and sum
# fused into one instruction, which rounds once instead of twice. Without traps for floating point exceptions, which
# Python has none of, GCC also vectorizes loops that compare.
FLAGS = {"unix": ["-O3", "-ffp-contract=off", "-fno-trapping-math"], "msvc": ["/O2", "/fp:precise"]}
# The code of typed memoryviews, compiled once for all extensions: half of the time of a build.
MEMORYVIEWS = "tagline._memoryviews"
# One wheel serves Python 3.11 and all later versions, except free-threaded ones, which have no stable ABI.
STABLE_ABI = not sysconfig.get_config_var("Py_GIL_DISABLED")
MACROS = [("Py_LIMITED_API", "0x030B0000"), ("CYTHON_LIMITED_API", "1")] if STABLE_ABI else []
# The cores that this process may use.
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class BuildExtensions(build_ext):
    """Builds all extensions, or says once why there are none."""

    def finalize_options(self) -> None:
        """Compile in parallel."""
        super().finalize_options()
        self.parallel = self.parallel or CORES

    def build_extensions(self) -> None:
        """Compile with the flags of the compiler at hand."""
        for extension in self.extensions:
            extension.extra_compile_args += FLAGS.get(self.compiler.compiler_type, [])
        try:
            super().build_extensions()
        except Exception as error:
            if os.environ.get("TAGLINE_REQUIRE_COMPILED") == "1":
                raise
            for extension in self.extensions:  # one imports another: all are there or none
                Path(self.get_ext_fullpath(extension.name)).unlink(missing_ok=True)
            self.extensions = self.distribution.ext_modules = []
            if wheel := self.distribution.get_command_obj("bdist_wheel", create=False):
                wheel.root_is_pure = True
            print(
                f"warning: the compiled extensions of tagline could not be built: {error}\n"
                "tagline works without them, but is several times slower. "
                "To build them, install a C compiler (`apt-get install gcc`) and install tagline again.",
                file=sys.stderr,
            )

    def copy_extensions_to_source(self) -> None:
        """Replace all extensions beside the sources: if these could not be built, those of an earlier build go too."""
        for extension in EXTENSIONS:
            for suffix in EXTENSION_SUFFIXES:
                SOURCE.joinpath(*extension.name.split(".")).with_suffix(suffix).unlink(missing_ok=True)
        super().copy_extensions_to_source()


def extension(name: str, source: Path) -> Extension:
    """Return an extension of one source file."""
    folders = [str(source.parent), str(SOURCE / "tagline")]
    return Extension(name, [str(source)], include_dirs=folders, define_macros=MACROS, py_limited_api=STABLE_ABI)


def extensions() -> list[Extension]:
    """Return an extension for each `.pyx` file, and what they share, whose source Cython writes."""
    paths = sorted(SOURCE.rglob("*.pyx"))
    shared = extension(MEMORYVIEWS, (SOURCE / MEMORYVIEWS.replace(".", "/")).with_suffix(".c"))
    return [shared, *(extension(".".join(path.relative_to(SOURCE).with_suffix("").parts), path) for path in paths)]


EXTENSIONS = extensions()

setup(
    ext_modules=cythonize(
        EXTENSIONS,
        nthreads=CORES if sys.platform == "linux" else 0,  # elsewhere processes are not forked
        build_dir="build/cython",
        quiet=True,
        language_level=3,
        compiler_directives={"boundscheck": False, "wraparound": False, "cdivision": True, "initializedcheck": False},
        shared_utility_qualified_name=MEMORYVIEWS,
    ),
    cmdclass={"build_ext": BuildExtensions},
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if STABLE_ABI else {},
)
