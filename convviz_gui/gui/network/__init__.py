"""The open network: what it is, its layers, what it says of the photo, and opening another."""
