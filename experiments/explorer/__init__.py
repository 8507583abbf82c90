"""The attention explorer, which `experiments/explore.py` starts."""
