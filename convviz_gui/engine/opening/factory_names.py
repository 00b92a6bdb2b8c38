"""Under which names factories take the number of classes and of input channels. No torch."""

from __future__ import annotations

CLASSES: tuple[str, ...] = (
    "num_classes",
    "n_classes",
    "nb_classes",
    "classes",
    "num_labels",
    "n_labels",
    "num_class",
    "n_class",
)
CLASSES += ("num_outputs", "n_outputs", "out_features", "output_dim")
CHANNELS = ("in_chans", "in_channels", "in_channel", "input_channels", "n_channels", "num_channels", "channels")
