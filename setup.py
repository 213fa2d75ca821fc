"""Builds the compiled extensions; everything else about the package is in pyproject.toml.

Each `.pyx` file below src/tagline is an extension. Without a C compiler the installation succeeds, and tagline takes
its NumPy path.
"""

import os
import sys
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
# One wheel serves Python 3.11 and all later versions.
STABLE_ABI = [("Py_LIMITED_API", "0x030B0000"), ("CYTHON_LIMITED_API", "1")]


class BuildExtensions(build_ext):
    """Builds all extensions, or says once why there are none."""

    def finalize_options(self) -> None:
        """Compile in parallel."""
        super().finalize_options()
        self.parallel = os.cpu_count()

    def build_extensions(self) -> None:
        """Compile with the flags of the compiler at hand."""
        for extension in self.extensions:
            extension.extra_compile_args += FLAGS.get(self.compiler.compiler_type, [])
        try:
            super().build_extensions()
        except Exception as error:  # noqa: BLE001 (each compiler and linker fails in its own way)
            for extension in self.extensions:  # one imports another: all are there or none
                Path(self.get_ext_fullpath(extension.name)).unlink(missing_ok=True)
            self.extensions = []
            print(
                f"warning: the compiled extensions of tagline could not be built: {error}\n"
                "tagline works without them, with the same results, but is several times slower. "
                "To build them, install a C compiler (`apt-get install gcc`) and install tagline again.",
                file=sys.stderr,
            )


def extension(name: str, source: Path) -> Extension:
    """Return an extension of one source file."""
    folders = [str(source.parent), str(SOURCE / "tagline")]
    return Extension(name, [str(source)], include_dirs=folders, define_macros=STABLE_ABI, py_limited_api=True)


def extensions() -> list[Extension]:
    """Return an extension for each `.pyx` file, and what they share, whose source Cython writes."""
    paths = sorted(SOURCE.rglob("*.pyx"))
    shared = extension(MEMORYVIEWS, (SOURCE / MEMORYVIEWS.replace(".", "/")).with_suffix(".c"))
    return [shared, *(extension(".".join(path.relative_to(SOURCE).with_suffix("").parts), path) for path in paths)]


setup(
    ext_modules=cythonize(
        extensions(),
        nthreads=(os.cpu_count() or 1) if sys.platform == "linux" else 0,  # elsewhere processes are not forked
        build_dir="build/cython",
        quiet=True,
        language_level=3,
        compiler_directives={"boundscheck": False, "wraparound": False, "cdivision": True, "initializedcheck": False},
        shared_utility_qualified_name=MEMORYVIEWS,
    ),
    cmdclass={"build_ext": BuildExtensions},
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
