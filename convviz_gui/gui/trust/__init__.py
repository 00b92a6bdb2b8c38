"""Whether the map on screen deserves belief: the button, the verdict, and what it rests on."""
