"""Image classifiers: any trunk of timm below a softmax or margin head."""
