"""The patterns of rules: regular expressions in which `<soname:cudaso>` captures a value of a kind.

They are tried, without case, on lines as `lines.plain` gives them: one blank between words, `'` for every quote, and
the lines of one message joined. Only repetitions with a bound are allowed, so that none takes time by the square of a
text.
"""

import re

_CUDA_LIBRARIES = (
    "cuda|cudart|nvcuda|cudnn|cublas|cufft|curand|cusolver|cusparse|cusparselt|nccl|nvrtc|nvjitlink|nvidia-ml|cupti|"
    "nvtoolsext|nvinfer|nvonnxparser|nvptxcompiler|cufile|nvshmem|cutensor|nppi|npp|nvjpeg|nvvm|cudla"
)
_SIZE = r"\d{1,9}(?:\.\d{1,4})? ?[kmgt]?i?b(?:ytes)?"
_SM = r"sm_\d{2,3}[af]?"

KINDS = {
    "version": r"\d{1,6}(?:\.\d{1,6}){0,4}",
    "triple": r"\d{1,3}(?:[., ]{1,2}\d{1,6}){0,3}",
    "number": r"\d{1,12}",
    "list": r"[\d, ]{1,80}",
    "sm": _SM,
    "sms": rf"{_SM}(?:,? (?:{_SM}|compute_\d{{2,3}}[af]?)){{0,30}}",
    "cudaso": rf"(?:lib)?(?:{_CUDA_LIBRARIES})[\w-]{{0,30}}\.(?:so(?:\.\d{{1,9}}){{0,5}}|dll|dylib)",
    "size": _SIZE,
    "sizes": rf"{_SIZE}(?: memory in use\. process \d{{1,9}} has {_SIZE}){{0,15}}",
    "word": r"[^\s'\",;)(\[\]]{1,160}",
    "pci": r"[0-9a-f]{4,8}:[0-9a-f]{2}(?::[0-9a-f]{2})?(?:\.\d)?",
}
_CAPTURED = re.compile(r"(?<!\?P)<([a-z]\w{0,20}):([a-z]{1,20})>")


def expanded(pattern: str) -> str:
    """The regular expression; raises KeyError for a kind that there is not."""
    return _CAPTURED.sub(lambda found: f"(?P<{found[1]}>{KINDS[found[2]]})", pattern)


def compiled(pattern: str) -> re.Pattern[str]:
    """Of an expanded pattern."""
    return re.compile(pattern, re.IGNORECASE)
