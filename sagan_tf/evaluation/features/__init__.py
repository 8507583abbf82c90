"""Networks whose features and class probabilities images are compared by."""
