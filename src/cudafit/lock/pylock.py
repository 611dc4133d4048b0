"""pylock.toml (PEP 751): every file with its address and hash, as uv compiled it."""

import re

from cudafit.lock.header import header
from cudafit.lock.order import Order
from cudafit.lock.uv import Compiled


def pylock_text(order: Order, compiled: Compiled) -> str:
    """uv's own data below our header; `created-by` is the tool that decided."""
    body = re.sub(r'^created-by = ".*"$', 'created-by = "cudafit"', compiled.pylock, count=1, flags=re.MULTILINE)
    return header(order) + "\n" + body
