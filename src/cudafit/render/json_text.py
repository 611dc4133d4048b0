"""JSON as it is printed: one object, indented, in the order of its fields."""

import json
from typing import Any


def json_text(value: Any) -> str:
    """ASCII only: it then reads the same whatever encoding the terminal, the pipe or the file has."""
    return json.dumps(value, indent=2) + "\n"
