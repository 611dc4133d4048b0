"""Numbers of things, as people read them."""


def counted(number: int, word: str) -> str:
    """`1 package`, `2 packages`."""
    return f"{number} {word}{'' if number == 1 else 's'}"
