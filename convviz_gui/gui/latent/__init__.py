"""The map of a folder: plot, legend, ranking, neighbours."""
