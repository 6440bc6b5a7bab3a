"""Labels this project gives by itself, in every room alike."""

# What a detector calls a picture that is not like the good ones; it knows no kinds of defect.
ANOMALOUS = "anomalous"
