"""`make pages`: write the pages that are made from the matrices anew."""

from tests.pages.which import PAGES, page

for title in PAGES:
    title.path.write_text(page(title), encoding="utf-8")
