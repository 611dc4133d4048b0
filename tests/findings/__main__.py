"""`make findings`: write the list of findings anew."""

from tests.findings import PAGE, page

PAGE.write_text(page(), encoding="utf-8")
