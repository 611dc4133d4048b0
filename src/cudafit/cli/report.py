"""`cudafit report`."""

import click

from cudafit.app.asked import WhichFacts
from cudafit.cli.common import common_options, emit
from cudafit.cli.machine_options import matrix_options


@click.command("report")
@click.argument("path", metavar="PATH")
@click.option(
    "-o",
    "--html",
    metavar="FILE",
    help="Write one page to look at: nothing is loaded, a few lines of script filter it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (schema cudafit.report/1).")
@matrix_options
@common_options
@click.pass_context
def command(context: click.Context, /, path: str, html: str | None, as_json: bool, facts: WhichFacts) -> int:
    """Show a room of machines on one page, or one of them: states, causes, locks, what a newer driver would bring.

    PATH is a folder of snapshots (`ws01.json`, from `inspect --save`), and of what else is there of each machine:
    `ws01.doctor.json`, `ws01.bench.json`, `ws01.freeze.txt` (from `pip freeze`), or a folder `ws01` with these. Locks
    lie beside them, or in `locks`. A single snapshot or report is a page of its own.

    Exits with 1 when a machine has an error.
    """
    from cudafit.app.report import Request, report  # noqa: PLC0415 - not for help

    return emit(context, report(Request(path, facts, html)), as_json=as_json)
