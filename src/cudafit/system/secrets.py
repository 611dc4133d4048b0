"""Secrets in texts and command lines, hidden: the only place that knows what one looks like.

Whatever cudafit prints or writes for others to read goes through here: command lines, errors, reports, snapshots,
journals, locks. It is a sieve and not a proof: what neither its name nor its form tells is shown.

The sieve itself is loaded when a text might hold something, which few do.
"""
# ruff: noqa: PLC0415 - for the speed of the start

import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import Any, TypeVar, cast

from cudafit.system.python310 import possessive

T = TypeVar("T")

HIDDEN = "***"

# A first look, which lets nothing through that the sieve would change. By words, since each is found fast by itself.
_WORDS = (
    *(
        "%40",
        "/t/",
        "pass",
        "pwd",
        "token",
        "secret",
        "cred",
        "key",
        "auth",
        "cookie",
        "bearer",
        "jwt",
        "psk",
        "hook",
    ),
    *(
        "basic ",
        "negotiate",
        "identified by",
        "api_org",
        "whsec",
        "github_pat",
        "xapp-",
        "akia",
        "asia",
        "aiza",
        "ya29.",
    ),
    *("hf_", "npm_", "dckr_", "nvapi-", "_v1_", "dapi", "gsk_", "lsv2_", "eyj", "telegram", "-user"),
)
# The same for what has no word of its own: what each holds, which is found fast, and how it looks.
_SIGNS = (
    (("=",), r"[?&#;][\w.$%\[\]-]{1,80}="),
    (("://",), r"://[^\s/]*:[^\d/]"),
    (("-a", "-p", "-u", "-w"), r"(?<![\w-])-[aupw]"),
    (
        ("xox", "gh", "gl", "sk-", "xai-", "pplx-", "pypi-", "k_", "hv", "sg.", "r8_"),
        r"(?<![a-z0-9])(?:xox[a-z]-|gh[oprsu]_|gl[a-z]{2,5}-"
        r"|(?:sk|xai|pplx|pypi)-[\w-]{16}|[rsp]k_(?:live|test)|hv[sbr]\.|sg\.|r8_)",
    ),
)


def suspected(text: str) -> bool:
    """Whether a closer look is worth its time. Records have the same names and many of the same texts."""
    return _suspected_before(text) if len(text) <= _SHORT else _suspected(text)


def _suspected(text: str) -> bool:
    lowered = text.lower()
    if "@" in lowered and (":" in lowered or "%3a" in lowered):  # no login stands before an `@` without a colon
        return True
    for word in _WORDS:
        if word in lowered:
            return True
    plain = text.isascii()  # there are letters that are like one of these only where case does not count
    return any(
        (not plain or any(part in lowered for part in parts)) and _sign(pattern).search(text)
        for parts, pattern in _SIGNS
    )


@cache
def _sign(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_SHORT = 100
_suspected_before = lru_cache(maxsize=1024)(_suspected)


def redacted(text: str) -> str:
    """The text with every secret in it replaced by `***`."""
    if not suspected(text):
        return text
    from cudafit.system.secret_texts import hidden_in

    return hidden_in(text)


def redacted_words(words: Iterable[str]) -> tuple[str, ...]:
    """A command line in which no word is a secret or holds one."""
    from cudafit.system.secret_words import word_at

    given = list(words)
    return tuple(word_at(given, number) for number in range(len(given)))


def redacted_tree(value: T) -> T:
    """A record, or what is to become JSON: every text in it, its command lines, what stands under a secret's name."""
    found: Any = _redacted(value)
    return cast(T, found)


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, Mapping):
        return {key: _under(key, one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        if any(isinstance(one, str) for one in value) and all(isinstance(one, str) for one in value):
            return _like(value, redacted_words(value)) if suspected(" ".join(value)) else value
        return _like(value, map(_redacted, value))
    if hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        return _record(value)
    return value


def _like(value: Any, items: Iterable[Any]) -> Any:
    kind = type(value)
    return kind._make(items) if hasattr(kind, "_make") else kind(items)


def _record(value: Any) -> Any:
    from dataclasses import replace

    given = {name: getattr(value, name) for name in value.__dataclass_fields__}
    found = {name: _under(name, one) for name, one in given.items()}
    changed = {name: one for name, one in found.items() if one != given[name]}
    return replace(value, **changed) if changed else value


def _under(key: object, value: Any) -> Any:
    if isinstance(value, str) and value and isinstance(key, str) and suspected(key):
        from cudafit.system.secret_names import Secret, is_secret, kind_of

        if kind_of(key) == Secret.YES and is_secret(key, value):
            return HIDDEN
    return _redacted(value)


def without_login(text: str) -> str:
    """An address, or a line with addresses, as a file may hold it: see `addresses.without_login`."""
    if "://" not in text:
        return text
    from cudafit.system import addresses

    return addresses.without_login(text)


def has_login(text: str) -> bool:
    """Whether an address in it would let its reader in."""
    return without_login(text) != text


def with_logins(text: str, *known: str | None) -> str:
    """The text with the logins of these addresses put back, at the same host: for what an installer alone reads."""
    from cudafit.system import addresses

    for one in known:
        if one and has_login(one):
            text = addresses.with_login(text, one)
    return text


def host_of(address: str) -> str | None:
    """The host alone, which tells no secret; None where there is none."""
    from urllib.parse import urlsplit

    try:
        return urlsplit(without_login(address)).hostname
    except ValueError:
        return None


def without_query(text: str) -> str:
    """The text with the query and the fragment of every address taken out."""
    return re.sub(possessive(r"(://[^\s?#]*+)(?:[?#]\S*)?"), r"\1", text)


def without_known(text: str, *known: str | None) -> str:
    """A text of another program, which may repeat the logins of these addresses, or parts of them, in any spelling."""
    found: set[str] = set()
    for one in known:
        if one and has_login(one):
            from cudafit.system import addresses

            found.update(addresses.logins(one))
    text = redacted(text)
    for secret in sorted(found, key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, HIDDEN)
    return text


_SHORTEST = 3
