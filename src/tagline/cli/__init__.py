"""The command line.

Results go to stdout, progress and warnings to stderr. Exit status: 0 success; 2 invalid input or arguments; 1 any other
error; 130 stopped by Ctrl-C; 141 stdout was closed by its reader; 143 stopped by SIGTERM. An error is printed as one
line, ``error: …``; ``--debug`` adds the traceback.
"""

from tagline.cli.app import main

__all__ = ["main"]
