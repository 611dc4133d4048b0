"""Which names of options, variables, keys and headers call something secret: `--wandb-key`, `HF_TOKEN`, `X-Api-Key`.

By the words that a name is made of, so that `--tokenizer`, `--max-tokens`, `--primary-key` and `--key-cache` are none.
Where a name alone does not tell (`--wandb_run_key`), the look of the value does.
"""

import re
from enum import IntEnum
from functools import lru_cache

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
# In the names below at the latest; a first look that is cheap.
HINTS = r"pass|pwd|token|secret|cred|key|auth|cookie|bearer|jwt|psk"
_HINT = re.compile(HINTS, re.I)


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_SECRET = re.compile(
    r"\w*(?:passwords?|passwd|passphrases?|passcode|secrets?|credentials?|token|apikeys?)|creds?|pwd|\w+pwd|o?auth|jwt|psk"
    r"|authorization|bearer|cookies?|pass(?:word)?|(?:db|pg|my|ssh|smtp|ftp|mail|user|root|admin|redis|mysql|login|proxy)pass"
    r"|(?:api|access|secret|private|auth|wandb|hf|openai|ssh|encrypt(?:ion)?|signing|license|pass|master|account|session)key"
)
# What is told of a token or a password, and is not it.
_TOLD_OF = _set(
    """
    type types id ids len length lengths limit limits count counts size sizes dropout level embedding embeddings
    embed classification classifier file files filename path paths dir directory folder url uri endpoint ttl
    expiry expires expiration lifetime budget merging pruning mixing shift drop per ratio rate weight weights
    pooling pool name names dim dims mask masks batch stream style helper provider source process store manager
    policy prompt min max number num index indices pos position positions parallel loss logits prob probs
    throughput latency accuracy usage entropy sampler chunk chunks shuffle strategy mode format class field column
    regex pattern separator required enabled disabled optional stdin env var cache timeout refresh through list
    map state sequence seq window healing
    """
)
# Tokens of a language model's text, and how many of them.
_OF_TEXT = _set(
    """
    pad eos bos unk mask sep cls special image video audio start end stop begin beginning next per first last num
    max min new prompt context n separator text word sub additional trigger placeholder initializer instance class
    concept modifier newline boi eoi eot sot im visual vision patch register query decoder encoder think single
    multi each every any total target source input output
    """
)
_PASSES = _set(
    """
    by forward backward single one two first second third last multi high low band all n per num render through
    compiler opt each every test tests this next final bypass fail
    """
)
_KEYS_OF_ACCESS = _set(
    """
    api access secret private auth authentication authorization encryption encrypt decrypt signing sign signature
    account service storage master session shared license licence deploy deployment admin app application client
    user host ssh pem gpg pgp rsa subscription function webhook security token wandb hf huggingface openai
    anthropic comet neptune clearml mlflow aws azure gcp google github gitlab ngc nvidia nvapi stripe sendgrid
    datadog sentry cohere mistral groq replicate together tavily serper pinecone weaviate qdrant kaggle ssl tls
    cloud bearer jwt hmac
    """
)
_OTHER_KEYS = _set(
    """
    primary foreign public sort group partition cache dict index row column label image text target input output
    feature data dataset state hot lookup batch loss metric rng prng random attention query map json yaml config
    model train join merge rgb depth obs observation action reward goal caption audio video mask prompt answer
    question id natural unique composite module registry registration reg arrow up down left right any enter
    return space shortcut num
    """
)
_WITHOUT_VALUE = _set(
    """
    none null nil true false yes no on off auto default basic bearer digest ldap kerberos oauth
    """
)
_PARAMETER_WORDS = _set(
    """
    sig signature credential hmac code key auth authkey sas jwt ticket session sessionid assertion
    """
)


_LONGEST = 100  # of a name that somebody gave


class Secret(IntEnum):
    """Whether a name calls something secret."""

    NO = 0
    BY_LOOK = 1  # if its value looks like chance
    YES = 2


def is_secret(name: str, value: str, *, option: bool = False) -> bool:
    """`option`: the name is one of a command line, where a bare `--key` and `--pass` are meant so."""
    kind = kind_of(name, option=option)
    if kind == Secret.NO or value.lower() in _WITHOUT_VALUE or not value:
        return False
    if kind == Secret.BY_LOOK:
        return looks_random(value)
    plain = name.lower()
    if plain in ("pwd", "oldpwd") and not option:
        return not value.startswith("/")  # the shell's own variables
    # A number is a count or a seed; of a password it is one.
    return not (re.fullmatch(r"[\d.,:]{1,7}", value) and re.search(r"(?:token|key|auth)\W*$", plain))


def is_secret_parameter(name: str, value: str) -> bool:
    """In an address's query, where `sig`, `key` and `code` have one meaning."""
    if not value or re.fullmatch(r"\d{1,5}", value):
        return False
    return is_secret(name, value, option=True) or bool(_PARAMETER_WORDS.intersection(_words(name)[-1:]))


@lru_cache(maxsize=4096)
def kind_of(name: str, *, option: bool = False) -> Secret:
    if not _HINT.search(name):
        return Secret.NO
    words = _words(name[-_LONGEST:])
    found = [_kind_of_word(words, number, option, shouted=name.isupper()) for number in range(len(words))]
    return max(found, default=Secret.NO)


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(name)]


def _kind_of_word(words: list[str], number: int, option: bool, *, shouted: bool) -> Secret:
    word, before, after = words[number], words[number - 1] if number else "", words[number + 1 :]
    if word in ("key", "keys"):
        return _kind_of_key(word, before, after, option, shouted=shouted)
    told = _TOLD_OF.intersection(after)
    if not _SECRET.fullmatch(word) or told - ({"id"} if "secret" in word else set()):
        return Secret.NO
    if word.endswith("token") and (before in _OF_TEXT or word[:-5] in _OF_TEXT):
        return Secret.NO
    if word in ("pass", "auth", "oauth") and after and not after[-1].isdigit():
        return Secret.NO
    if word == "pass":
        if before in _PASSES:
            return Secret.NO
        return Secret.YES if before or option else Secret.BY_LOOK
    return Secret.YES


def _kind_of_key(word: str, before: str, after: list[str], option: bool, *, shouted: bool) -> Secret:
    if before in _OTHER_KEYS or any(not one.isdigit() for one in after):
        return Secret.NO
    if before in _KEYS_OF_ACCESS or (before and shouted and word == "key"):
        return Secret.YES
    if word == "keys":
        return Secret.NO
    return Secret.YES if option and not before else Secret.BY_LOOK


def looks_random(value: str) -> bool:
    """Letters and digits in no order that words have: `9f86d081884c`, not `input_ids`, `layer_10` or `jpg`."""
    for run in re.findall(r"[A-Za-z0-9]{8,}", value):
        changes = len(re.findall(r"\d(?=[A-Za-z])|[A-Za-z](?=\d)", run))
        if changes > 1 or (changes and len(run) >= 12):
            return True
        if len(run) >= 20 and len(re.findall(r"[a-z](?=[A-Z])", run)) > 2:
            return True
    return False
