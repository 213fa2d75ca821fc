"""The first stage: all rows read once, with the train rows kept on disk and the held-out rows in memory."""
