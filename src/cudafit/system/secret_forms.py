"""Secrets that are known by their own form, wherever they stand.

Each prefix is documented by the service that gives such keys out; the lengths are below theirs, so that one which was
cut is found too.
"""

import re

from cudafit.system.python310 import possessive

_FORMS = re.compile(
    possessive(
        r"(?<![A-Za-z0-9])(?:"
        r"hf_[A-Za-z0-9]{16,}|api_org_[A-Za-z0-9]{16,}"  # Hugging Face
        r"|sk-[A-Za-z0-9_-]{16,}|[rsp]k_(?:live|test)_[A-Za-z0-9]{8,}|whsec_[A-Za-z0-9]{16,}"  # OpenAI and kin, Stripe
        r"|gh[oprsu]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|gl(?:pat|ptt|dt|rt|oas|soat|cbt|ft|agent)-[\w-]{16,}"
        r"|xox[a-z]-[\w-]{10,}|xapp-[\w-]{16,}"  # Slack
        r"|A[KS]IA[A-Z0-9]{12,}|AIza[\w-]{24,}|ya29\.[\w-]{16,}"  # AWS, Google
        r"|npm_[A-Za-z0-9]{16,}|pypi-[A-Za-z0-9_-]{32,}|dckr_pat_[\w-]{16,}"
        r"|nvapi-[\w-]{16,}|do[opr]_v1_[0-9a-f]{16,}|dapi[0-9a-f]{32}|hv[sbr]\.[\w-]{20,}|SG\.[\w-]{16,}\.[\w-]{16,}"
        r"|gsk_[A-Za-z0-9]{20,}|r8_[A-Za-z0-9]{20,}|xai-[A-Za-z0-9]{20,}|pplx-[A-Za-z0-9]{20,}|lsv2_\w{20,}|AGE-SECRET-KEY-\w+"
        r"|(?<![\w-])eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]*+)?"  # JSON Web Token
        r")"
    )
)
# Names of packages and models begin alike: `sk-learn-contrib`, `hf_transfer`, `pypi-simple`.
_WORDY = re.compile(r"(?:sk|xai|pplx)-|hf_|npm_|pypi-|gsk_|r8_")
_CHANCE = re.compile(r"[A-Za-z0-9]{10,}")
_HOOKS = re.compile(
    r"(?i)(?<=hooks\.slack\.com/services/)[^\s\"'`<>]+|(?<=hooks\.slack\.com/workflows/)[^\s\"'`<>]+"
    r"|(?<=/api/webhooks/)\d+/[\w-]+|(?<=\.webhook\.office\.com/)[^\s\"'`<>]+|(?<=api\.telegram\.org/bot)\d+:[\w-]+"
)
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_HINT = re.compile(
    r"hf_|api_org|sk-|k_(?:live|test)|whsec|gh[oprsu]_|github_pat|gl[a-z]{2,5}-|xox|xapp|A[KS]IA|AIza|ya29|npm_|pypi-|dckr"
    r"|nvapi|_v1_|dapi|hv[sbr]\.|SG\.|gsk_|r8_|xai-|pplx|lsv2|AGE-|eyJ|(?i:webhook|hooks\.|telegram)|PRIVATE KEY"
)


def hide_forms(text: str, hidden: str) -> str:
    if not _HINT.search(text):
        return text
    text = _FORMS.sub(lambda match: hidden if _is_chance(match[0]) else match[0], text)
    return _without_private_keys(_HOOKS.sub(hidden, text), hidden)


def _is_chance(found: str) -> bool:
    """What begins with a word must not go on as words do."""
    match = _WORDY.match(found)
    if not match:
        return True
    runs = _CHANCE.findall(found, match.end())
    return any(re.search(r"\d", run) or (re.search(r"[a-z]", run) and re.search(r"[A-Z]", run)) for run in runs)


def _without_private_keys(text: str, hidden: str) -> str:
    parts: list[str] = []
    done = 0
    while begin := _PRIVATE_KEY.search(text, done):
        end = _KEY_END.search(text, begin.end())
        parts += [text[done : begin.end()], hidden]
        done = end.start() if end else len(text)
    return "".join([*parts, text[done:]])
