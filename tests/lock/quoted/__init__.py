"""The readers of locks, for what they quote."""
