"""The frame of every page: one file that loads nothing, light and dark, on a screen and on paper.

The page tells the browser so itself, and names the one script that may run, where there is one, by its hash.
"""

import base64
import hashlib

from cudafit.render.svg import safe

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = """
:root{color-scheme:light dark;--ground:#fff;--ink:#1b2330;--quiet:#566273;--line:#c9d1db;--card:#f4f6f9;
--error:#b3261e;--warning:#8a5300;--info:#3b5b85;--ok:#1f6f3a}
@media (prefers-color-scheme:dark){:root{--ground:#14181f;--ink:#e7ebf1;--quiet:#a4afbd;--line:#3a4453;--card:#1d232c;
--error:#ff8a80;--warning:#f0b45a;--info:#9dbdec;--ok:#7bd096}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:70rem;margin:0 auto;padding:1rem}
h1{font-size:1.5rem;margin:.5rem 0}h2{font-size:1.15rem;margin:1.5rem 0 .5rem}
.state{font-weight:700}.error{color:var(--error)}.warning{color:var(--warning)}.info{color:var(--info)}.ok{color:var(--ok)}
.unknown,.quiet{color:var(--quiet)}
details{background:var(--card);border:1px solid var(--line);border-radius:.5rem;margin:.5rem 0;padding:.5rem .75rem}
summary{cursor:pointer;overflow-wrap:anywhere}code,pre{font:.875rem/1.45 ui-monospace,monospace}
pre{margin:.35rem 0;padding:.5rem .6rem;border:1px solid var(--line);border-radius:.35rem;white-space:pre-wrap}
pre{overflow-wrap:anywhere}
ul{margin:.35rem 0;padding-left:1.2rem}li,p,dd{overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.15rem 1rem;margin:0}
dt{color:var(--quiet)}dd{margin:0}
"""
TAIL = "</main></body></html>\n"


def head(title: str, style: str = "", script: str | None = None) -> str:
    """Up to where the page's own parts begin. `title` may be foreign; `script` is ours, and stands before `TAIL`."""
    policy = _POLICY
    if script is not None:
        told = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        policy += f"; script-src 'sha256-{told}'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{safe(title)}</title>\n<style>{_STYLE}{style}</style></head>\n<body><main>\n"
    )


def picture_page(title: str, picture: str, items: str) -> str:
    """A picture in a page, with a list below it; both are SVG and HTML."""
    told = f"<ul>\n{items}</ul>\n" if items else ""
    return f'{head(title, _PICTURE)}<h1>{safe(title)}</h1>\n<div class="picture">\n{picture}</div>\n{told}{TAIL}'


# A picture has its own, light ground.
_PICTURE = """
.picture{border:1px solid var(--line);border-radius:.5rem;overflow-x:auto;background:#fff}
.picture svg{min-width:40rem;width:100%;height:auto;display:block}
"""
