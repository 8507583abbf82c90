"""Programs: train, sample, export."""
