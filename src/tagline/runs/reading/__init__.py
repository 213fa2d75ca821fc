"""What a run reads: its data, also part by part, data for a model that exists, and the model that it continues."""
