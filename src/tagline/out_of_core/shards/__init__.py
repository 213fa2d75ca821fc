"""The train rows divided among shards, which stay where an engine works on them."""
