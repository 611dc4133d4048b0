"""Secrets in a text, by what stands before them: a name, an option, a header, a login before an `@`.

Every pattern looks at a place once, however long the text is.
"""

import re
from collections.abc import Iterator

from cudafit.system import addresses
from cudafit.system.addresses import HIDDEN
from cudafit.system.python310 import possessive
from cudafit.system.secret_forms import hide_forms
from cudafit.system.secret_names import HINTS, Secret, is_secret, kind_of, looks_random
from cudafit.system.secret_values import line_end, quoted_end, value_end

# A name with what parts it from its value: `=`, `:`, `=>`; behind an option a space will do, or `', '` as in a list.
_QUOTES = r"(?:\\{0,8}[\"'])"
_NEXT_OPTION = rf"{_QUOTES}?(?:--[A-Za-z]|-[A-Za-z][\w.-]{{0,8}}(?![\w.-]))"
_GAP = rf"(?:{_QUOTES}?,?[ \t]++(?:\\\n[ \t]*+)?+|{_QUOTES},\s{{0,99}}+)(?!{_NEXT_OPTION})"
_NAMED = re.compile(
    possessive(
        r"(?<![\w.-])(?P<dash>[-+~]{1,2})?(?P<name>[A-Za-z_](?:[\w.-]|\[\w{0,100}\]){0,100}+)"
        rf"(?:{_QUOTES}{{0,5}}\]?[ \t]*(?P<sign>=>|:=|={{1,2}}|:(?!\\?/\\?/))[ \t]*|(?(dash){_GAP}|(?!)))"
    )
)
_SETTING = re.compile(possessive(r"(?i)(?<!\S)(?:ENV|ARG|setenv|set -g?x)[ \t]+(?P<name>[A-Za-z_]\w*+)[ \t]+(?=\S)"))
_ELEMENT = re.compile(possessive(r"<(?P<name>[A-Za-z_][\w.:-]*+)>(?=[^<\s])"))
_HEADER = re.compile(
    r"(?i)(?<![\w-])(?:(?:proxy-)?authorization|(?:set-)?cookie2?)(?P<quote>\\{0,8}[\"'])?[ \t]*[:=][ \t]*"
)
_SCHEME = re.compile(r"(?<![\w.-])(Bearer|Basic|Token|Negotiate|ApiKey)([ \t]+)([\w.~+/=:-]{8,})", re.I)
_LOGIN = re.compile(
    possessive(
        r"(?<![\w-])((?:-u|-U|--user|--proxy-user|--userpwd)(?:[\"'],?)?(?:[ \t]+|=)[\"']?)"
        r"([^\s:\"'`()$]{1,200}+:[^\s\"'`]+)"
    )
)
_BARE_LOGIN = re.compile(
    r"(?<![\w./@:%+-])([\w.%+-]+):([^\s@/:\"'`<>]+)@(?!sha\d+:|md5:)(?=[\w-]+(?:\.[\w-]+)*:\d|[\w-]+(?:\.[\w-]+)+(?:/|\s|$))"
)
_NETRC = re.compile(r"(?i)\b((?:machine|login|account)[ \t]+\S+\s+password[ \t]+)(\S+)")
_IDENTIFIED = re.compile(r"(?i)\b(identified (?:with \S+ )?by )(['\"][^'\"\n]*['\"]?)")
_SHORT_OPTION = re.compile(r"(?<=[ \t])-([aPpw])([ \t]*)(\S+)")
_PROGRAMS = {
    "a": re.compile(r"\b(?:redis-cli|https?)\b"),
    "P": re.compile(r"\b(?:zip|unzip|sqlcmd|bcp)\b"),
    "w": re.compile(r"\bldap(?:search|modify|add|delete|whoami)\b"),
    "p": re.compile(
        r"\b(?:sshpass|mysql\w*|mariadb\w*|7z\w?)\b|\b(?:docker|podman|nerdctl|helm|oc|skopeo|buildah|oras|crane|az)\b.*\blogin\b"
    ),
}
_GLUED = re.compile(r"\b(?:mysql|mariadb|7z)\w*\b")  # here the value of `-p` follows at once
_OBJECT = re.compile(r"\{\s{0,99}\\{0,8}[\"']")
_LOOK_BACK = 200
_DECIDES = 256
_HINT = re.compile(HINTS, re.I)


def hidden_in(text: str) -> str:
    """The text with every secret in it replaced."""
    text = hide_forms(addresses.shown(text), HIDDEN)
    if _HINT.search(text):
        text = _without_values(_without_headers(text))
        text = _NETRC.sub(rf"\1{HIDDEN}", text)
    text = _IDENTIFIED.sub(rf"\1{HIDDEN}", text)
    if "@" in text:
        text = _BARE_LOGIN.sub(_hidden_login, text)
    if "-" in text:
        text = _LOGIN.sub(_hidden_user, text)
        text = _SHORT_OPTION.sub(_hidden_short, text)
    return text


def is_login(value: str) -> bool:
    """`user:password`; of a container's `--user 1000:1000` nothing is secret."""
    name, colon, password = value.partition(":")
    return bool(colon and password and name != password and not (name + password).isdigit())


def asks_for_secret(letter: str, line: str, *, glued: bool) -> bool:
    """Whether `-p` and its like stand before a secret in a command line that begins so."""
    program = _PROGRAMS.get(letter)
    if letter == "p" and "login" not in line and not _GLUED.search(line) and "sshpass" not in line:
        return False
    return bool(program and program.search(line)) and (letter != "p" or bool(_GLUED.search(line)) == glued)


def _without_values(text: str) -> str:
    """What follows a secret's name, up to where it ends."""
    parts: list[str] = []
    done = 0
    for match, option in _named(text):
        if match.start("name") < done or _OBJECT.match(text, match.end()):
            continue  # in an object, its own names tell
        place = match.end(), match.start(), match.end("name")
        # By its beginning it is decided, so that what is passed over is not read again and again.
        start, end = value_end(text, *place, min(len(text), match.end() + _DECIDES))
        value = text[start:end].strip("\"'\\$")
        if _is_hidden(value) or not is_secret(match["name"], value, option=option):
            continue
        start, end = value_end(text, *place, len(text))
        parts += [text[done:start], HIDDEN]
        done = end
    return "".join([*parts, text[done:]]) if parts else text


def _named(text: str) -> Iterator[tuple[re.Match[str], bool]]:
    found: list[tuple[re.Match[str], bool]] = []
    for match in _NAMED.finditer(text):
        option = bool(match["dash"])
        if kind_of(match["name"], option=option) != Secret.NO and not _is_path(text, match):
            found.append((match, option))
    for pattern in (_SETTING, _ELEMENT):
        found += [(match, False) for match in pattern.finditer(text) if kind_of(match["name"]) != Secret.NO]
    yield from sorted(found, key=lambda one: one[0].start())


def _is_path(text: str, match: re.Match[str]) -> bool:
    """`/etc/passwd: Permission denied`: the name of a file, and what is wrong with it."""
    return match["sign"] == ":" and text[match.start() - 1 : match.start()] in ("/", "\\")


def _is_hidden(value: str) -> bool:
    return value.startswith(HIDDEN) and not value[len(HIDDEN) : len(HIDDEN) + 1].isalnum()


def _without_headers(text: str) -> str:
    """Whole, as they may hold several words."""
    parts: list[str] = []
    done = 0
    for match in _HEADER.finditer(text):
        if match.start() < done:
            continue
        around = text[match.start() - 1 : match.start()]
        start, end = match.end(), line_end(text, match.end(), len(text))
        if inside := quoted_end(text, match.end(), len(text)):
            start, end = inside
        elif around and around in "\"'`":
            closing = text.find(around, start, end)
            end = closing if closing >= 0 else end
        if end > start and not _is_hidden(text[start:end]):
            parts += [text[done:start], HIDDEN]
            done = end
    text = "".join([*parts, text[done:]]) if parts else text
    return _SCHEME.sub(_hidden_scheme, text)


def _hidden_scheme(match: re.Match[str]) -> str:
    scheme, gap, value = match.groups()
    sure = scheme.lower() == "bearer" and (len(value) >= 16 or any(sign.isdigit() for sign in value))
    return f"{scheme}{gap}{HIDDEN}" if sure or looks_random(value) else match[0]


def _hidden_login(match: re.Match[str]) -> str:
    return match[0] if match[1].lower() in ("mailto", "sip", "sips", "xmpp", "acct") else f"{HIDDEN}@"


def _hidden_user(match: re.Match[str]) -> str:
    return f"{match[1]}{HIDDEN}" if is_login(match[2]) else match[0]


def _hidden_short(match: re.Match[str]) -> str:
    letter, gap, _ = match.groups()
    line = match.string[max(0, match.start() - _LOOK_BACK) : match.start()].rpartition("\n")[2]
    if not asks_for_secret(letter, line, glued=not gap):
        return match[0]
    return f"-{letter}{gap}{HIDDEN}"
