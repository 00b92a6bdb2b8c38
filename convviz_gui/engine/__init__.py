"""The Qt-free engine: models, images and methods."""
