"""Looking into an open network: its layers, what runs in them, and what is worth knowing before one begins."""
