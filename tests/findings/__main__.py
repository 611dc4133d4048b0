"""`make findings`: write the list of findings, and that of error texts, anew."""

from tests.findings import PAGE, page
from tests.findings.errors import PAGE as ERRORS
from tests.findings.errors import errors_page

PAGE.write_text(page(), encoding="utf-8")
ERRORS.write_text(errors_page(), encoding="utf-8")
