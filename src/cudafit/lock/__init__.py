"""A fit as files that other tools install: requirements, pylock, conda's environments and locks, container files."""
