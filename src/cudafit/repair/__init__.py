"""Changing an environment as a database changes its tables: wholly or not at all.

`transaction` is the way in; `recover` and `roll_back` are the ways back. What each promises is in
docs/decisions/0009-transaction.md.
"""
