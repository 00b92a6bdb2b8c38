"""Pictures made by optimisation: an objective, on a canvas, climbed by gradient ascent. Each part knows no other."""
