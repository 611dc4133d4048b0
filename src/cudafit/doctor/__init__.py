"""Diagnosis: pure functions from a machine, an environment and the matrix to findings, and the one root cause."""
