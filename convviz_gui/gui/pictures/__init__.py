"""Pictures to look into, and their colours."""
