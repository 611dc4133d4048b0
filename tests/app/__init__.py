"""The verbs, called as a program would call them."""
