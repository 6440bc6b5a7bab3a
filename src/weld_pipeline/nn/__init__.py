"""Networks: trunks and their weights, autoencoder, heads, training loops, the assembled classifier."""
