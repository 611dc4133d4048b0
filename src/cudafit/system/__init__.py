"""What stands between cudafit and everything outside it: foreign text, commands to paste, secrets.

The lowest room: it imports nothing of cudafit, so that every other one may use it, the pure ones too.
"""
