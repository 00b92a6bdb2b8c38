"""One file per method; methods never import each other."""
