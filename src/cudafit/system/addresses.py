"""Addresses, and the logins in them: a name and password, a token in the path, a signature in the query.

Read by hand and not by `urlsplit`, since what people and programs print is often no valid address: passwords hold the
very signs that end a login (`/`, `#`, `?`, `@`, quotes). Each character is looked at a few times at most, however long
the text.
"""

import re
from collections.abc import Callable, Iterator

from cudafit.system.python310 import possessive
from cudafit.system.secret_names import is_secret_parameter

HIDDEN = "***"

_BEGIN = re.compile(r"(?i):(?:\\?/){2}|%3a%2f%2f")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,29}$")
_LONGEST_SCHEME = 30
_RUN = re.compile(r"[^\s\"'`<>]*")
_REST_OF_WORD = re.compile(r"\S{0,200}")
_NUMBER = re.compile(r"\d*(?![A-Za-z0-9])")
_PLACEHOLDER = re.compile(r"[${<%*\[(]|(?i:port)\b|\W*$")
# What stands behind the `@` of a login: a name with a domain, an IPv4 or IPv6 address, or this machine.
_HOST = re.compile(r"(?:(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}|localhost|\d+(?:\.\d+){3}|\[[0-9A-Fa-f:.]+\])(?=[:/?#]|$)")
_WEB = ("http", "https", "ftp", "ftps")
# The user of a connection by SSH is part of the way there, as in `ssh://git@host/repository`.
_SSH = ("ssh", "git+ssh", "hg+ssh", "svn+ssh", "bzr+ssh", "sftp", "rsync")
# A login that names variables tells nothing, and installers fill it in (pip and uv: `${NAME}`).
_VARIABLES = re.compile(r"(?:(?:__token__|oauth2|x-access-token|token|user|git):)?\$\{[A-Z_][A-Z0-9_]*\}")
_PARAMETER = re.compile(possessive(r"(?:(?<=[?&#])|(?<=&amp;)|(?<=\\u0026))([\w.$%\[\]-]++)=([^&#\s\"'`<>\\]++)"))
_PARAMETERS = re.compile(r"([?#])([^?#\s\"'`<>]+)")
# conda's tokens: `/t/TOKEN/channel`. A forum's `/t/topic/123` is none. Source: conda, `split_anaconda_token`.
_CONDA_TOKEN = re.compile(r"/t/(?!\d+(?![\w-]))([\w*-]+)(?!/\d+(?![\w-]))(?![\w*-])")

Replaced = Callable[[str, str], str]


def shown(text: str) -> str:
    """A text in which every address stands without what would let its reader in: `https://***@host/`."""
    text = _without_logins(text, lambda _scheme, _login: f"{HIDDEN}@")
    text = _PARAMETER.sub(_hidden_parameter, text)
    return _CONDA_TOKEN.sub(f"/t/{HIDDEN}", text) if "/t/" in text else text


def without_login(text: str) -> str:
    """An address, or a line with addresses, as a file may hold it: what lets its reader in is taken out, so that an
    installer finds the host and asks its own store of logins."""
    text = _without_logins(text, _kept_of_login)
    if "=" in text:
        text = _PARAMETERS.sub(_harmless_parameters, text)
    return _CONDA_TOKEN.sub("", text) if "/t/" in text else text


def with_login(text: str, known: str) -> str:
    """The text in which each address of the host of `known` has its login."""
    plain = without_login(known)
    origin = re.match(r"[A-Za-z][\w+.-]*://[^/?#\s]+", plain)
    given = re.match(r"[A-Za-z][\w+.-]*://([^/\s]*@)?", known)
    if not origin or not given or not given[1]:
        return text
    scheme, _, host = origin[0].partition("://")
    there = re.compile(rf"(?<![\w+.-]){re.escape(scheme)}://{re.escape(host)}(?![\w.:@-])", re.I)
    return there.sub(lambda _: f"{scheme}://{given[1]}{host}", text)


def login_of(address: str) -> tuple[str, str] | None:
    """Name and password in an address, decoded; None where there is none, or no name of a host behind it."""
    from urllib.parse import unquote  # noqa: PLC0415 - for those who log in

    given = re.match(r"[A-Za-z][\w+.-]*://([^/?#\s]*)@[^/?#@\s]", address)
    if not given or _length(given[0].partition("://")[2][:-1], "") != len(given[1]) + 1:
        return None
    name, _, password = given[1].partition(":")
    return unquote(name), unquote(password)


def logins(address: str) -> Iterator[str]:
    """The secret parts of an address, as they are, decoded and encoded: what an error's text may repeat by itself."""
    from urllib.parse import quote, unquote  # noqa: PLC0415 - for errors alone

    found: list[str] = []

    def note(_scheme: str, login: str) -> str:
        found.append(login)
        return ""

    _without_logins(address, note)
    for login in found:
        name, colon, password = login.partition(":")
        for one in (login, password if colon else name):
            yield from (one, unquote(one), quote(unquote(one), safe=""))
    yield from (value for name, value in _PARAMETER.findall(address) if is_secret_parameter(name, value))
    yield from _CONDA_TOKEN.findall(address)


def _without_logins(text: str, replaced: Replaced) -> str:
    if ":" not in text and "%" not in text:
        return text
    begins = list(_BEGIN.finditer(text))
    if not begins:
        return text
    parts: list[str] = []
    done = 0
    for number, begin in enumerate(begins):
        start = begin.end()
        if start < done:
            continue
        limit = begins[number + 1].start() if number + 1 < len(begins) else len(text)
        scheme = _scheme(text, begin.start())
        if limit < len(text):
            limit -= len(_scheme(text, limit))
        length, login = _login(text, start, max(start, limit), scheme, encoded=text[begin.start()] == "%")
        if not length or _VARIABLES.fullmatch(login) or _is_variables(login):
            continue
        parts += [text[done:start], replaced(scheme, login)]
        done = start + length
    return "".join([*parts, text[done:]]) if parts else text


def _scheme(text: str, end: int) -> str:
    match = _SCHEME.search(text[max(0, end - _LONGEST_SCHEME) : end])
    return match[0].lower() if match else ""


def _is_variables(login: str) -> bool:
    name, colon, password = login.partition(":")
    return bool(colon and _VARIABLES.fullmatch(name) and _VARIABLES.fullmatch(password))


def _login(text: str, start: int, limit: int, scheme: str, *, encoded: bool) -> tuple[int, str]:
    """How many characters are the login with what ends it, and the login itself."""
    match = _RUN.match(text, start, limit)
    run = match[0] if match else ""
    if encoded:
        end = run.split("&", 1)[0].upper().rfind("%40")
        return (end + 3, run[:end]) if end >= 0 else (0, "")
    length = _length(run, scheme)
    if length:
        return length, run[: length - 1]
    if "@" in run or not _has_no_port(run):
        return 0, ""
    # `user:pass` where a port should be: the login goes on behind a quote, or was cut off.
    word = _REST_OF_WORD.match(text, start, limit)
    end = word[0].rfind("@") if word else -1
    return (end + 1, word[0][:end]) if word and end >= 0 else (len(run), run)


def _length(run: str, scheme: str) -> int:
    """Up to the last `@` before the path; further where that cannot have been the host yet."""
    last = run.rfind("@")
    path = re.search(r"[/?#]", run)
    end = path.start() if path else len(run)
    length = run.rfind("@", 0, end) + 1
    if last < end or not end:
        return length
    name, colon, port = _host_and_port(run[length:end])
    behind = next((at for at in _ats(run, end) if _HOST.match(run, at + 1)), None)
    if colon and not port.isdigit():
        return (last if behind is None else behind) + 1
    in_code = "+" in scheme  # git+https://host/repository@reference
    single = "." not in name and name != "localhost"
    if length or colon:
        if behind is not None and (single or (length and not in_code)):
            return behind + 1
        if single and not in_code and run[last + 1 : last + 2].isalpha() and run[last - 1] != "/":
            return last + 1
    elif single and behind is not None and scheme.rpartition("+")[2] in _WEB:
        return behind + 1
    return length


def _ats(run: str, start: int) -> Iterator[int]:
    """The places of `@`, the last one first."""
    at = run.rfind("@")
    while at >= start:
        yield at
        at = run.rfind("@", 0, at)


def _host_and_port(text: str) -> tuple[str, str, str]:
    if text.startswith("["):
        literal, bracket, rest = text.partition("]")
        return literal + bracket, rest[:1], rest[1:]
    return text.partition(":")


def _has_no_port(run: str) -> bool:
    _, colon, port = _host_and_port(re.split(r"[/?#]", run, maxsplit=1)[0])
    return bool(colon and not _NUMBER.match(port) and not _PLACEHOLDER.match(port))


def _kept_of_login(scheme: str, login: str) -> str:
    return f"{login.partition(':')[0]}@" if scheme in _SSH and login.partition(":")[0] else ""


def _hidden_parameter(match: re.Match[str]) -> str:
    return f"{match[1]}={HIDDEN}" if is_secret_parameter(match[1], match[2]) else match[0]


def _harmless_parameters(match: re.Match[str]) -> str:
    kept = [one for one in match[2].split("&") if not is_secret_parameter(*_named(one))]
    if kept == match[2].split("&"):
        return match[0]
    return match[1] + "&".join(kept) if kept else ""


def _named(parameter: str) -> tuple[str, str]:
    name, _, value = parameter.partition("=")
    return name, value
