"""What mkdocs asks while it builds the site: pages that are made from the code, and links that lead out of docs/."""

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

TOP = Path(__file__).parents[2]
if str(TOP) not in sys.path:  # mkdocs loads this file by its path
    sys.path.insert(0, str(TOP))

from tests.pages.made import commands_page, decisions_page, schemas_page  # noqa: E402

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

# The table of contents of that page has the findings, and not the hundreds of texts below them.
_SHORT = "\n<style>.md-nav--secondary .md-nav { display: none; }</style>\n"
_OUT = re.compile(r"\[([^\]]*)\]\(((?:\.\./)+[^)\s]+)\)")
_SCHEMA = re.compile(r"(?:\.\./)+src/cudafit/schemas/(.+)\.json")


def on_config(config: "MkDocsConfig") -> "MkDocsConfig":
    """Where the workflow builds it, the site says whose it is."""
    if name := os.environ.get("GITHUB_REPOSITORY"):
        config.repo_url = f"{os.environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{name}"
        config.repo_name = name
    return config


def on_files(files: "Files", *, config: "MkDocsConfig") -> "Files":
    from mkdocs.structure.files import File  # noqa: PLC0415 - where the site is built

    made = {"commands.md": commands_page(), "schemas.md": schemas_page(), "decisions.md": decisions_page()}
    for name, text in made.items():
        files.append(File.generated(config, name, content=text))
    for path in sorted((TOP / "src" / "cudafit" / "schemas").glob("*.json")):
        files.append(File.generated(config, f"schemas/{path.name}", content=path.read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, *, page: Any, config: "MkDocsConfig", files: "Files") -> str:
    """A link to a file beside docs/ leads to the repository, where it is known; else it is the file's name."""
    if page.file.src_uri.startswith("decisions/"):
        page.meta["search"] = {"exclude": True}  # who looks for an error text is not helped by them
    if page.file.src_uri == "errors.md":
        markdown = with_headings(markdown) + _SHORT
        page.meta["search"] = {"boost": 4}
    here = (Path(config.docs_dir) / page.file.src_uri).parent

    def led(match: "re.Match[str]") -> str:
        text, link = match[1], match[2]
        target = (here / link.partition("#")[0]).resolve()
        if target.is_relative_to(config.docs_dir):
            return match[0]
        if schema := _SCHEMA.fullmatch(link):
            up = "../" * page.file.src_uri.count("/")
            return f"[{text}]({up}schemas.md#{schema[1]})"
        if not target.exists():
            raise FileNotFoundError(f"{page.file.src_uri}: {link}")
        name = target.relative_to(TOP).as_posix()
        return f"[{text}]({config.repo_url}/blob/HEAD/{name})" if config.repo_url else f"{text} (`{name}`)"

    return _OUT.sub(led, markdown)


def with_headings(markdown: str) -> str:
    """Each error text as a heading: the search puts those first, and leads to the very text."""

    def headed(match: "re.Match[str]") -> str:
        says, text, source = match[1] or "", match[2], match[3]
        return f"### `{text}`\n\n{says.capitalize()}{' ' if says else ''}{source}\n"

    return re.sub(r"^- (?:([^`\n]*): )?`(.*)` \((\[source\]\(.*\))\)$", headed, markdown, flags=re.MULTILINE)
