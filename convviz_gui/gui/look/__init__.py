"""What every part of the window shares: theme, ink, words for numbers, and the stage views stand on."""
