"""All that is fuzzed: the parsers, and whole commands."""

from tests.fuzz.commands import COMMANDS
from tests.fuzz.parser import Parser
from tests.fuzz.parsers import PARSERS

TARGETS: tuple[Parser, ...] = (*PARSERS, *COMMANDS)


def target(name: str) -> Parser:
    return next(one for one in TARGETS if one.name == name)
