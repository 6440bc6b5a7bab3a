"""The reference's architecture and loss."""

import pytest
import torch

from weld_pipeline.nn.calibrated import defect_score
from weld_pipeline.nn.video.autoencoder import Autoencoder, autoencoder_loss, reconstruction_error
from weld_pipeline.nn.video.classifier import LatentClassifier


def widths(module):
    return [layer.weight.shape[::-1] for layer in module if isinstance(layer, torch.nn.Linear)]


def test_autoencoder_is_400_256_64_256_400():
    network = Autoencoder()
    assert widths(network.encoder) == [(400, 256), (256, 64)]
    assert widths(network.decoder) == [(64, 256), (256, 400)]
    reconstruction, latent = network(torch.zeros(3, 400))
    assert reconstruction.shape == (3, 400)
    assert latent.shape == (3, 64)


def test_classifier_is_64_128_12():
    assert widths(LatentClassifier().layers) == [(64, 128), (128, 12)]


def test_loss_is_smooth_l1_plus_squared_norm_of_the_latent():
    """By hand: errors 0.5 and 2 give 0.5²/2 = 0.125 and 2 - 0.5 = 1.5, mean 0.8125; ‖(3, 4)‖² = 25."""
    features, reconstruction = torch.tensor([[0.0, 0.0]]), torch.tensor([[0.5, 2.0]])
    latent = torch.tensor([[3.0, 4.0]])
    assert reconstruction_error(reconstruction, features).tolist() == [0.8125]
    loss = autoencoder_loss(reconstruction, latent, features, latent_penalty=1e-4)
    assert float(loss) == pytest.approx(0.8125 + 25e-4)


def test_score_is_the_log_odds_of_not_good():
    """Softmax of (ln 1, ln 2, ln 5) is (1/8, 2/8, 5/8); with the second good the odds of a defect are 6 : 2."""
    logits = torch.log(torch.tensor([[1.0, 2.0, 5.0]]))
    assert float(defect_score(logits, good_index=1)) == pytest.approx(torch.log(torch.tensor(3.0)).item())


def test_score_does_not_saturate_where_probabilities_do():
    logits = torch.tensor([[200.0, 0.0], [300.0, 0.0]])
    assert defect_score(logits, good_index=0).tolist() == [-200.0, -300.0]
