"""Why a parser gave up, in words for people: not all that Python raises is meant for them."""


def reason(error: Exception) -> str:
    """One line."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if "integer string conversion" in str(error):
        return "it holds a number of thousands of digits"
    return str(error).splitlines()[0] if str(error) else type(error).__name__
