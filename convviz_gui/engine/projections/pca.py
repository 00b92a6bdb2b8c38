"""Principal component analysis (Pearson 1901, Hotelling 1933), exact and in float64."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from convviz_gui.engine.payloads import FloatArray, frozen

_ROWS = 1024

Matrix = NDArray[np.float64]


def pca(features: FloatArray, n_components: int = 2) -> FloatArray:
    """Scores on the first principal components, f32 [N, n_components], of `features` f32 [N, D].

    Features are centred, not scaled. Signs are fixed: the loading of largest magnitude is positive. Components beyond
    the data's rank are exactly 0. Costs N·D·min(N, D) multiplications.
    """
    n, width = features.shape
    mean = features.mean(axis=0, dtype=np.float64)
    by_smaller_side = _by_covariance if width <= n else _by_gram
    scores = by_smaller_side(features, mean, n_components)
    missing = n_components - scores.shape[1]
    return frozen(np.pad(scores, ((0, 0), (0, missing))).astype(np.float32))


def _by_covariance(features: FloatArray, mean: Matrix, n_components: int) -> Matrix:
    covariance = np.zeros((features.shape[1], features.shape[1]))
    for start in range(0, len(features), _ROWS):
        part = features[start : start + _ROWS] - mean
        covariance += part.T @ part
    loadings = _leading(covariance, n_components)[0]
    loadings = loadings * _signs(loadings)
    parts = [(features[start : start + _ROWS] - mean) @ loadings for start in range(0, len(features), _ROWS)]
    return np.concatenate(parts)


def _by_gram(features: FloatArray, mean: Matrix, n_components: int) -> Matrix:
    centred = features - mean
    vectors, lengths = _leading(centred @ centred.T, n_components)
    # The loadings, up to their lengths, which do not matter for the sign.
    return vectors * lengths * _signs(centred.T @ vectors)


def _leading(symmetric: Matrix, n_components: int) -> tuple[Matrix, Matrix]:
    """Leading eigenvectors as columns, without those of eigenvalue 0, and the roots of their eigenvalues."""
    values, vectors = np.linalg.eigh(symmetric)
    values, vectors = values[::-1][:n_components], vectors[:, ::-1][:, :n_components]
    rounding = len(symmetric) * np.finfo(np.float64).eps * max(values[0], 0.0)
    real = values > rounding
    return vectors[:, real], np.sqrt(values[real])


def _signs(loadings: Matrix) -> Matrix:
    largest = np.abs(loadings).argmax(axis=0)
    return np.where(loadings[largest, np.arange(loadings.shape[1])] < 0, -1.0, 1.0)
