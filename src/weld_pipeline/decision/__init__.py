"""What a prediction is worth and what to do about it: metrics, intervals, confounds, calibration, reports."""
