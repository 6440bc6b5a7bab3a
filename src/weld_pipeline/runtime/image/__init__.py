"""Image classifiers at work: an image in, class, probability and verdict out."""
