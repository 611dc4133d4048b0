"""Secrets in a command line, word by word: here it is certain where a value ends."""

import re
from collections.abc import Sequence

from cudafit.system.addresses import HIDDEN
from cudafit.system.secret_names import Secret, is_secret, kind_of, looks_random
from cudafit.system.secret_texts import asks_for_secret, hidden_in, is_login

_ASSIGNED = re.compile(r"([-+~]{0,2})([A-Za-z_](?:[\w./-]|\[\w*\])*)=(.*)", re.S)
_NAME = re.compile(r"(?:[\w./-]{0,200}:)?[A-Za-z_][\w-]*")
_USERS = ("u", "U", "user", "proxy-user", "userpwd")
_OPTION = re.compile(r"--?[A-Za-z][\w.-]*")
_NEXT_OPTION = re.compile(r"--[A-Za-z][\w.-]*|-[A-Za-z][\w.-]{0,8}")


def word_at(words: Sequence[str], number: int) -> str:
    """The word as it may be shown, by those before it."""
    word = words[number]
    before = words[number - 1] if number else ""
    follows = _OPTION.fullmatch(before) and word and not _NEXT_OPTION.fullmatch(word)
    if follows and _is_value_of(before, word, words, number):
        return HIDDEN
    if match := _ASSIGNED.fullmatch(word):
        dash, name, value = match.groups()
        if is_secret(name, value, option=bool(dash)):
            return f"{dash}{name}={HIDDEN}"
        if dash and name in _USERS and is_login(value):
            return f"{dash}{name}={HIDDEN}"
    if (
        word[:2] == "-p"
        and len(word) > 2
        and asks_for_secret("p", " ".join(words[max(0, number - 8) : number]), glued=True)
    ):
        return f"-p{HIDDEN}"
    # `aws configure set aws_secret_access_key VALUE`, `npm config set //host/:_authToken VALUE`
    if _NAME.fullmatch(before) and kind_of(before.rpartition(":")[2]) != Secret.NO and looks_random(word):
        return HIDDEN
    if "login" in words[max(0, number - 3) : number] and re.fullmatch(r"[0-9a-f]{40}|local-[0-9a-f]{40}", word):
        return HIDDEN  # `wandb login KEY`
    return hidden_in(word)


def _is_value_of(option: str, word: str, words: Sequence[str], number: int) -> bool:
    name = option.lstrip("-")
    if name in _USERS:
        return is_login(word)
    if option.startswith("--") or len(name) > 1:
        return is_secret(name, word, option=True)
    return asks_for_secret(name, " ".join(words[max(0, number - 12) : number]), glued=False)
