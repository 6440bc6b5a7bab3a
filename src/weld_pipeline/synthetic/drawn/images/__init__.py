"""Pictures in the layouts that classifiers learn from: photographs, radiographs, strip surfaces."""
