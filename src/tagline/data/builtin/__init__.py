"""Built-in datasets: found locally or downloaded, verified, and read."""
