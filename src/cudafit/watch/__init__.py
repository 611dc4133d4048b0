"""Watches programs while they run: whether they use the GPU, how much, and what they wait for."""
