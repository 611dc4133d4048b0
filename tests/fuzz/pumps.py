"""Texts that make a parser take its time: something many times over, in the middle of what it would read."""

from collections.abc import Iterator

from tests.fuzz.parser import Parser

# What stands for blanks, words, numbers, and for the brackets, quotes and signs of every grammar here.
_UNITS = (
    *(
        " ",
        "\t",
        "\n",
        " \n",
        "\\\n",
        "a",
        "a ",
        "a\n",
        "1",
        "1.",
        "a.",
        "a-",
        "_",
        "-",
        ".",
        "..",
        "/",
        "a/",
        "../",
        "#",
        " #",
    ),
    *(
        "'",
        '"',
        "\\",
        '\\"',
        "'a' ",
        "(",
        "[",
        "{",
        "<",
        "[[",
        "()",
        "[]",
        "{}",
        "[a",
        "{a",
        '{"a":',
        '"a",',
        "[],",
        "a,",
        ",",
    ),
    *(
        "=",
        "a=",
        "==",
        "a==1 ",
        ":",
        "a:",
        "a: ",
        "a: b\n",
        "- ",
        "- a\n",
        "?",
        "*",
        "&a ",
        "*a ",
        "!",
        "!!a ",
        "|",
        ";",
        "a;",
    ),
    *(
        "&&",
        "$",
        "${a",
        "${a}",
        "$(",
        "%",
        "@",
        "://",
        "a://b@",
        "~",
        "`",
        "<a>",
        "<!--",
        "&amp;",
        "\0",
        "é",
        "0x",
        "1e",
        "-1 ",
    ),
    # Names that are all different.
    *("a%d ", "a%d\n", "a%d: 1\n", "a%d=1\n", "a%d=1 ", '"a%d": 1, ', "a%d.a%n\n", "/a%d\n", "a%d,", "[a%d]\n", "$a%d"),
)


def pump(before: bytes, unit: bytes, end: bytes, size: int) -> bytes:
    """`%d` in what is repeated is another number each time, and `%n` the next one."""
    times = size // len(unit)
    if b"%d" not in unit:
        return before + unit * times + end
    parts = (unit.replace(b"%d", b"%d" % number).replace(b"%n", b"%d" % (number + 1)) for number in range(times))
    return before + b"".join(parts) + end


def own(parser: Parser) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Those of its entry, and its real texts line by line."""
    for before, unit, end in parser.pumps:
        yield before.encode(), unit.encode(), end.encode()
    for seed in list(parser.seeds())[:2]:
        if seed:
            yield b"", seed, b""
        lines = seed[:5000].splitlines(keepends=True)
        for number in {len(lines) // 3, len(lines) - 1} if lines else ():
            yield b"".join(lines[:number]), lines[number], b"".join(lines[number + 1 :])


def of(parser: Parser) -> Iterator[tuple[bytes, bytes, bytes]]:
    """All: each unit alone, and in the middle of a real text; each word of its own too."""
    yield from own(parser)
    seed = next(iter(parser.seeds()), b"")[:2000]
    units = [unit.encode() for unit in _UNITS] + [word for word in parser.tokens() if word]
    for unit in dict.fromkeys(units):
        yield b"", unit, b""
        for cut in (len(seed) // 3, 2 * len(seed) // 3):
            yield seed[:cut], unit, seed[cut:]
