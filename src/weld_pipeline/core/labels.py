"""Labels that detectors give, which know no kinds of defect."""

# Label of an image that is not like the good ones.
ANOMALOUS = "anomalous"

# Label of an image that is like them, where the source has no good image and so no name for the class.
GOOD = "good"
