"""What every picture needs that is written as SVG by hand: a frame and texts."""

from html import escape

from cudafit.system.text import harmless

INK, QUIET = "#1c2430", "#5f6b7a"


def opening(width: int, height: int, title: str) -> list[str]:
    """Readable by itself: its own background, its own sizes, no script."""
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        ' font-family="Helvetica, Arial, sans-serif" font-size="13">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        text(20, 30, title, size=18, weight="bold"),
    ]


def text(
    x: float, y: float, words: str, *, anchor: str = "start", size: int = 13, color: str = INK, weight: str = "normal"
) -> str:
    look = f'text-anchor="{anchor}" font-size="{size}" font-weight="{weight}" fill="{color}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {look}>{safe(words)}</text>'


def safe(words: str) -> str:
    """A foreign text as one of SVG and HTML: a control character alone would make it no XML."""
    return escape(harmless(words))


def shortened(words: str, length: int) -> str:
    words = harmless(words)
    return words if len(words) <= length else words[: length - 1] + "…"
