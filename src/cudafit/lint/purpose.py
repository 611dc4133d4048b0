"""What is written beside a line that chooses the CPU: a reason makes of a mistake a decision."""

import re

from cudafit.lint.parts import Hit
from cudafit.model import kinds

# Findings that are one line in which somebody chose the CPU. A model that is never moved is no such line.
_CHOSEN = frozenset(
    kind.id
    for kind in (
        kinds.code.cvd_disabled,
        kinds.code.tf_gpu_hidden,
        kinds.code.tf_device_cpu,
        kinds.code.jax_cpu_forced,
        kinds.code.device_hardcoded_cpu,
        kinds.code.lightning_cpu,
        kinds.code.hf_trainer_cpu,
        kinds.code.hf_pipeline_cpu,
        kinds.code.accelerate_cpu,
        kinds.code.library_on_cpu,
    )
)
_REASON = re.compile(r"\b(?:[CG]PUs?|cuda|debug\w*|compar\w*|CI)\b", re.IGNORECASE)
_NOT_THE_WISH = re.compile(r"\b(?:expect|cudafit)\b")
_CODE = re.compile(r"=|\w\(")  # code that was commented out gives no reason
_QUANTIZED = re.compile(r"quantiz|int8", re.IGNORECASE)
_MOST_LINES = 4


def with_purpose(hit: Hit, lines: list[str]) -> Hit:
    """The finding, or the information that the CPU is chosen on purpose."""
    if hit.kind.id not in _CHOSEN:
        return hit
    if hit.kind is kinds.code.library_on_cpu and any(_QUANTIZED.search(line) for line in lines):
        return Hit(
            kinds.info.cpu_on_purpose, hit.node, f"{hit.message}; the file makes a model for the CPU, by quantizing it"
        )
    reason = reason_beside(lines, getattr(hit.node, "lineno", 1))
    if not reason:
        return hit
    return Hit(kinds.info.cpu_on_purpose, hit.node, f"{hit.message}; the comment says why: {reason}")


def reason_beside(lines: list[str], line: int) -> str:
    """The words of the comment above the line, or behind it, where they speak of the CPU, the GPU or a comparison."""
    if not 0 < line <= len(lines):
        return ""
    above = []
    for text in reversed(lines[max(0, line - 1 - _MOST_LINES) : line - 1]):
        if text.startswith(("import ", "from ")):
            continue
        if not text.lstrip().startswith("#") or _CODE.search(text):
            break
        above.append(text.strip().lstrip("#").strip())
    behind = lines[line - 1].rpartition("  #")[2] if "  #" in lines[line - 1] else ""
    words = " ".join([*reversed(above), behind.strip()]).strip()
    return f'"{words[:80]}"' if _REASON.search(words) and not _NOT_THE_WISH.search(words) else ""
