"""Built-in datasets: found on this machine or downloaded, verified, read."""
