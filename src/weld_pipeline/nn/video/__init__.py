"""Video classifiers: clips through a frozen trunk, an autoencoder, and a classifier of pooled latents."""
