"""What training and sampling cost, beside a PyTorch implementation of the same network."""
