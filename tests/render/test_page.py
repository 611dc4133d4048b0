"""The frame of all pages: colours that can be read, and pictures in it."""

import re

import pytest

from cudafit.render.page import _STYLE, head, picture_page


def _light(color: str) -> float:
    """By WCAG 2, "relative luminance"."""
    short = color.lstrip("#")
    full = "".join(one * 2 for one in short) if len(short) == 3 else short
    parts = [int(full[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    dark, bright = sorted((_light(one), _light(other)))
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["ground", "card"])
def test_every_colour_can_be_read(scheme: int, ground: str) -> None:
    """WCAG 2 asks for 4.5 to 1."""
    colors = dict(re.findall(r"--(\w+):(#\w+)", re.findall(r":root\{[^}]*\}", _STYLE)[scheme]))
    for name in ("ink", "quiet", "error", "warning", "info", "ok"):
        assert _contrast(colors[name], colors[ground]) >= 4.5, name


def test_the_one_script_is_named_by_its_hash() -> None:
    assert "script-src" not in head("x")
    assert "script-src 'sha256-" in head("x", script="show();")
    assert head("x", script="show();") != head("x", script="show() ;")


def test_a_picture_has_the_same_frame() -> None:
    text = picture_page("a <b>", "<svg></svg>", "<li>one</li>")
    assert "<title>a &lt;b&gt;</title>" in text
    assert "prefers-color-scheme:dark" in text
    assert "default-src 'none'" in text
    assert text.endswith("</main></body></html>\n")
