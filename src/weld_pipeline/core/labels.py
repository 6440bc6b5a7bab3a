"""Labels this project gives by itself, in every room alike."""

# What a detector calls an image that is not like the good ones; it knows no kinds of defect.
ANOMALOUS = "anomalous"

# What it calls one that is, where no image of the source is good as a whole and the class has no name of its own.
GOOD = "good"
