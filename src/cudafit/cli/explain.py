"""`cudafit explain`: the page of a finding, or what an error text means."""

from dataclasses import replace

import click

from cudafit.app.asked import WhichEnvironment, WhichFacts, WhichMachine
from cudafit.cli.common import common_options, emit, say, write
from cudafit.cli.machine_options import ask, environment_options, matrix_options, one_machine_options, root_option
from cudafit.errors import InputError


@click.command("explain")
@click.argument("words", metavar="[ID | TEXT… | -]", nargs=-1)
@click.option("--file", metavar="FILE", help="Read this log; it may be of any size.")
@click.option("--no-look", is_flag=True, help="Say what the text means, and do not look at this machine.")
@click.option("--env", "path", metavar="PATH", help="Look at this environment: its folder or its interpreter.")
@environment_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (schema cudafit.explain/1).")
@one_machine_options
@root_option
@matrix_options
@common_options
@click.pass_context
def command(
    context: click.Context,
    /,
    machine: WhichMachine,
    facts: WhichFacts,
    environment: WhichEnvironment,
    words: tuple[str, ...],
    file: str | None,
    no_look: bool,
    as_json: bool,
) -> int:
    """Say what a finding or an error text means, and what to do.

    ID is a finding, or the beginning of several: `torch`. Any other words are read as an error's text, `-` reads stdin.
    It looks for the first error, which is the cause; what follows from it stands below it, and what is harmless is said
    to be. This machine is asked which of the causes holds here. Alone, it shows the groups of findings.
    Exits with 3 when nothing was recognised.
    """
    if file is not None and words:
        raise InputError("`--file` and TEXT each give what is to be explained")
    if file is None and len(words) <= 1 and not as_json and words != ("-",):
        from cudafit.app.explain import listed, page  # noqa: PLC0415

        word = words[0] if words else None
        shown = listed(word)
        if shown is None and word is not None:
            shown = page(word)
        if shown is not None:
            write(shown)
            return 0
    if file is None and not " ".join(words).strip():
        raise InputError("there is no text to explain", hint="`cudafit explain 'the message'`, or `-` for stdin")
    question = None if no_look else ask(context, machine)
    from cudafit.app.explain import Request, explain  # noqa: PLC0415 - while NVML answers

    request = Request(machine, facts, replace(environment), words, file, look=not no_look)
    return emit(context, explain(request, question, say), as_json=as_json)
