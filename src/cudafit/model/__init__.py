"""The nouns, as frozen dataclasses. No file, no clock, no environment variable: same input, same output."""
