"""`make schemas`: write the published JSON Schemas anew."""

from cudafit.model.schema import json_schema
from cudafit.model.settings import SCHEMA_NAME, files_schema
from cudafit.render.json_text import json_text
from tests.schemas import FOLDER, RECORDS, described

for name, (kind, title) in RECORDS.items():
    (FOLDER / f"{name}.json").write_text(json_text(described(json_schema(kind, title))), encoding="utf-8")
(FOLDER / f"{SCHEMA_NAME}.json").write_text(json_text(files_schema()), encoding="utf-8")
