"""A dataset in a layer's space: features, true neighbours, and how far a projection distorts them."""
