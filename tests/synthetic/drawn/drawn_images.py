"""What several tests of drawn images need."""

import io

import cv2
import numpy as np
from PIL import Image
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from weld_pipeline.synthetic.drawn.images.layouts import LAYOUTS


def opened(image):
    return Image.open(io.BytesIO(LAYOUTS[image.layout].draw(image)))


def grey(image):
    return np.asarray(opened(image).convert("L"))


def look(image):
    """Return brightness and texture of an image, wherever in it they are: percentiles and gradients at three scales."""
    numbers, small = [np.percentile(image, (1, 5, 25, 50, 75, 95, 99)) / 255], image.astype(np.float32)
    for _ in range(3):
        across, down = cv2.Sobel(small, cv2.CV_32F, 1, 0), cv2.Sobel(small, cv2.CV_32F, 0, 1)
        strength = np.hypot(across, down)
        bins = (np.arctan2(down, across) % np.pi / np.pi * 6).astype(int).ravel() % 6
        numbers.append(np.log1p(np.bincount(bins, strength.ravel(), 6) / strength.size))
        numbers.append(np.log1p(np.percentile(strength, (50, 90, 98))))
        small = cv2.resize(small, (small.shape[1] // 2, small.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return np.concatenate(numbers)


def accuracy_across_sessions(images, n_folds=3):
    """Return the accuracy of ridge regression on `look`, sessions never in training and test at once."""
    looks = np.stack([look(grey(image)) for image in images])
    labels = np.array([image.label for image in images])
    sessions = np.array([image.session for image in images])
    fold = {}
    for label in np.unique(labels):
        fold |= {session: i % n_folds for i, session in enumerate(np.unique(sessions[labels == label]))}
    folds = np.array([fold[session] for session in sessions])
    n_right = 0
    for held_out in range(n_folds):
        is_test = folds == held_out
        model = make_pipeline(StandardScaler(), RidgeClassifier(3.0)).fit(looks[~is_test], labels[~is_test])
        n_right += (model.predict(looks[is_test]) == labels[is_test]).sum()
    return n_right / len(labels)
