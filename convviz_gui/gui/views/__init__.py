"""One file per payload type; views never import each other."""
