"""`make pages`: write the pages that are made from the matrices anew, and the outputs that pages show."""

import os
import tempfile
from pathlib import Path

from tests import compiled_facts
from tests.command import in_this_process
from tests.pages.blocks import TOP, anew, pages, staged
from tests.pages.recording import PICTURE, drawn, session
from tests.pages.which import PAGES, page


def main() -> None:
    for title in PAGES:
        title.path.write_text(page(title), encoding="utf-8")
    compiled_facts.as_in_a_wheel()
    with tempfile.TemporaryDirectory() as folder:
        stage = staged(Path(folder) / "nets")
        environ = {"PATH": os.environ["PATH"], "HOME": folder, "COLUMNS": "100"}

        def run(words: list[str], where: Path) -> tuple[str, int]:
            os.chdir(where)
            done = in_this_process(words, environ)
            return done.stdout + done.stderr, done.returncode

        for path in pages():
            before = path.read_text(encoding="utf-8")
            if (after := anew(before, stage, run)) != before:
                path.write_text(after, encoding="utf-8")
        readme = TOP / "README.md"
        readme.write_text(anew(readme.read_text(encoding="utf-8"), TOP, run), encoding="utf-8")
        os.chdir("/")
    with tempfile.TemporaryDirectory() as folder:
        environ = {"PATH": os.environ["PATH"], "HOME": folder, "COLUMNS": "132"}
        PICTURE.write_text(drawn(session(Path(folder), environ)), encoding="utf-8")


main()
