"""Text that was read in files and names that anybody may have made: none of it may command the terminal."""

_CONTROLS = {number: f"\\x{number:02x}" for number in (*range(0x20), *range(0x7F, 0xA0)) if chr(number) not in "\n\t"}


def harmless(text: str) -> str:
    """The text with its control characters spelled out."""
    return text.translate(_CONTROLS)
