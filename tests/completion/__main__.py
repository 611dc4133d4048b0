"""`make completion`: write the table of the words that shells complete anew."""

from tests.completion import TABLE, text

TABLE.write_text(text(), encoding="utf-8")
