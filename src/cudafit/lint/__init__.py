"""Reads training code and finds work that stays on the CPU. Pure: text in, findings out; nothing is imported or run."""
