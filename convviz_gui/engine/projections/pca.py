"""Principal component analysis (Pearson 1901, Hotelling 1933), exact and in float64."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from convviz_gui.engine.payloads import FloatArray, frozen

_ROWS = 1024

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Axes:
    """Where principal components lie: `mean` f64 [D], `loadings` f64 [D, n], a unit vector each; 0 beyond the rank."""

    mean: Matrix = field(repr=False)
    loadings: Matrix = field(repr=False)

    def scores(self, features: FloatArray) -> FloatArray:
        """Rows [N, D] in these components, f32 [N, n]."""
        return frozen(((features - self.mean) @ self.loadings).astype(np.float32))


def principal_axes(features: FloatArray, n_components: int = 2) -> Axes:
    """The axes whose scores `pca` returns, for rows that are not among `features` f32 [N, D]."""
    n, width = features.shape
    mean = features.mean(axis=0, dtype=np.float64)
    if width <= n:
        loadings = _leading(_covariance(features, mean), n_components)[0]
    else:
        centred = features - mean
        vectors, lengths = _leading(centred @ centred.T, n_components)
        loadings = centred.T @ vectors / lengths
    loadings = loadings * _signs(loadings)
    return Axes(mean, np.pad(loadings, ((0, 0), (0, n_components - loadings.shape[1]))))


def axes_of(covariance: Matrix, mean: Matrix, n_components: int = 2) -> Axes:
    """The axes for rows that are only known by their mean f64 [D] and covariance f64 [D, D], times any number."""
    loadings = _leading(covariance, n_components)[0]
    loadings = loadings * _signs(loadings)
    return Axes(mean, np.pad(loadings, ((0, 0), (0, n_components - loadings.shape[1]))))


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
    loadings = _leading(_covariance(features, mean), n_components)[0]
    loadings = loadings * _signs(loadings)
    parts = [(features[start : start + _ROWS] - mean) @ loadings for start in range(0, len(features), _ROWS)]
    return np.concatenate(parts)


def _covariance(features: FloatArray, mean: Matrix) -> Matrix:
    """N times the covariance, f64 [D, D]."""
    covariance = np.zeros((features.shape[1], features.shape[1]))
    for start in range(0, len(features), _ROWS):
        part = features[start : start + _ROWS] - mean
        covariance += part.T @ part
    return covariance


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
