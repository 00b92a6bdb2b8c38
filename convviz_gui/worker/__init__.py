"""The bridge between the window and the engine thread."""
