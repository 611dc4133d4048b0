"""The command line: one small module a command. Parse, call, print; no logic."""
