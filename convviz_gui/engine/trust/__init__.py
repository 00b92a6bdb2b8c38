"""Whether a map deserves belief: deletion and insertion, parameter randomisation, and a verdict in words."""
