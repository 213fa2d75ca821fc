"""JSON text, which `json` and `jsonl` read: documents, lines of objects, and the layouts of tables in them."""
