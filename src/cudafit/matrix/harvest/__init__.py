"""Reads facts out of published wheels, a few KB to a few MB of each, with HTTP range requests."""
