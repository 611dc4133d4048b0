"""`make findings`: write the list of findings, that of error texts, and the texts of each page anew."""

from tests.findings import PAGE, page
from tests.findings.errors import FINDINGS, errors_page, page_with_texts, texts_of_findings
from tests.findings.errors import PAGE as ERRORS

PAGE.write_text(page(), encoding="utf-8")
ERRORS.write_text(errors_page(), encoding="utf-8")
TEXTS = texts_of_findings()
for path in sorted(FINDINGS.glob("*.md")):
    before = path.read_text(encoding="utf-8")
    if (after := page_with_texts(path.stem, before, TEXTS)) != before:
        path.write_text(after, encoding="utf-8")
