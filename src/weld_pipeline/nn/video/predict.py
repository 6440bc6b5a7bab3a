"""Logits of runs, from their pooled latents."""

import numpy as np
import torch
from jaxtyping import Float

from weld_pipeline.nn.video.classifier import LatentClassifier


@torch.inference_mode()
def run_logits(classifier: LatentClassifier, latents: Float[np.ndarray, "R L"]) -> Float[np.ndarray, "R K"]:
    """Return uncalibrated logits."""
    return classifier(torch.from_numpy(latents)).numpy()
