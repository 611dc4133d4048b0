"""Whether words beside code give a reason to compute on the CPU, or only speak of devices."""

import re

_GPU = r"\b(?:GPUs?|CUDA)\b"
_REASON = re.compile(
    rf"\b(?:CPUs?|debug\w*|compar\w*|CI)\b"
    rf"|\b(?:no|not|without|ignor\w*|disabl\w*|hid(?:e|es|ing|den)|avoid\w*|out of)\b[^.;]{{0,60}}?{_GPU}"
    rf"|{_GPU}[^.;]{{0,40}}?(?:\b(?:not|no|never|unavailable|memory|hidden|disabled|ignored)\b|n't\b)",
    re.IGNORECASE,
)
# A list of what may stand there, and the wish for the other device.
_CHOICE = re.compile(r"\b(?:[CG]PU|cuda)\b\W{0,3}(?:\bor\b|[/,|])\W{0,3}(?:[CG]PU|cuda)\b", re.IGNORECASE)
_WISH = re.compile(
    rf"\bif\b[^.;]{{0,40}}?\bavailable\b|\b(?:to|on|onto)\s+(?:(?:the|a|an|your|first)\s+)?{_GPU}|\buse\b[^.;]{{0,12}}?{_GPU}",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"\b(?:no|not|without|compar\w*|vs|versus|later|soon|disabl\w*|ignor\w*|hid\w*|prevent\w*|avoid\w*)\b|n't\b",
    re.IGNORECASE,
)
_OURS = re.compile(r"\b(?:expect|cudafit)\b")
_ON_CPU = re.compile(r"\bon\b[^.;]{0,5}\bCPUs?\b", re.IGNORECASE)
_ANY_GPU = re.compile(_GPU, re.IGNORECASE)


def gives_reason(words: str) -> bool:
    """`no GPU in CI`, `the CPU is enough`; not `use the GPU if available`, and not `"cpu" or "cuda"`."""
    if not _REASON.search(words) or _OURS.search(words) or _CHOICE.search(words):
        return False
    return not _WISH.search(words) or _DENIED.search(words) is not None


def says_cpu(words: str) -> bool:
    """`on the CPU`, and not a word of the other device."""
    return _ON_CPU.search(words) is not None and not _ANY_GPU.search(words) and not _OURS.search(words)
