"""Two results beside each other: what is kept to be compared, and how it is shown."""
