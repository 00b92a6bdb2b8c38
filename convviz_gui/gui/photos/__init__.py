"""The photos at hand, and where they come from."""
