"""The command line: parses, calls, prints.

Answers go to stdout, progress and logs to stderr. Exit status: 0 done; 2 the user's input or arguments are wrong; 1
anything else; 130 stopped by Ctrl-C; 141 the reader of stdout went away. Whatever is wrong is said in one
line, ``error: …``; ``--debug`` adds the traceback.
"""

from tagline.cli.app import main

__all__ = ["main"]
