"""The embedded demo: the Toybox dataset and ToyNet."""
