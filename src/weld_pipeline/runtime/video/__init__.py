"""Video classifiers at work: a recording or a camera in, a timeline and a verdict out."""
