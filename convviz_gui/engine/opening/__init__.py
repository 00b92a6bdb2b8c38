"""Every door a network comes in by: libraries, weights files, the user's own code."""
