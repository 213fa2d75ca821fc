"""Several worker processes of a server on one socket, the process that starts them, and their common figures."""
