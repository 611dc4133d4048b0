"""The entry point: runs a command and turns whatever happens into text and an exit code."""

import atexit
import errno
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from cudafit import __version__
from cudafit.cli.commands import TopCommands
from cudafit.cli.common import common_options, say, say_lines, verbosity, write
from cudafit.errors import CudafitError, InputError

BUG = 70
INTERRUPTED = 130
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
# What `cudafit.pyz` has no room for.
_LEFT_OUT = {"uv": "uv"}
BROKEN_PIPE = 141  # what a shell shows for a program that SIGPIPE ended


@click.group(
    cls=TopCommands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-V", "--version", message="cudafit %(version)s")
@common_options
@click.pass_context
def cudafit(context: click.Context, /) -> None:
    """Which driver, CUDA, cuDNN and framework builds work together on this machine, and is the GPU really doing the
    work?

    Exit codes: 0 all is well · 1 a problem was found · 2 wrong usage or input · 3 could not be determined · 4 a change
    was rolled back · 70 a bug in cudafit · 130 interrupted.
    """
    if context.invoked_subcommand is None:
        write(_start(context))


_FIRST = (
    ("cudafit inspect", "this machine: GPUs, driver, CUDA limit"),
    ("cudafit resolve torch", "the builds that work on it"),
    ("cudafit doctor", "why the GPU is not used, and what to do"),
    ("cudafit explain 'the error'", "what an error text means"),
    ("cudafit help", "all commands; `cudafit help resolve` shows one"),
)


def _start(context: click.Context) -> str:
    """What is shown where nothing was asked for."""
    page = context.make_formatter()
    page.write_text(f"cudafit {__version__}: which builds work on this machine, and is the GPU really doing the work?")
    page.write_paragraph()
    page.write_dl(_FIRST)
    return page.getvalue()


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run and exit."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            # It was closed before we began. What is opened here is not inherited by the programs that we start.
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - until the end
    for stream in (sys.stdout, sys.stderr):
        # A character that the terminal cannot show must not end the program.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    ended: list[int] = []
    first = not getattr(atexit, "_ncallbacks", lambda: 1)()  # what is registered first runs last
    if first and arguments is None and _is_called_by_the_program():
        atexit.register(_end, ended)
    ended.append(_with_room(list(sys.argv[1:] if arguments is None else arguments)))
    sys.exit(ended[0])


def _is_called_by_the_program() -> bool:
    """Whether the script that was started calls `main`, and no program that goes on after it."""
    caller = sys._getframe(2)
    entry = sys.modules.get("cudafit.__main__")
    if entry and caller.f_back and caller.f_globals is vars(entry):
        caller = caller.f_back
    return caller.f_globals is vars(sys.modules["__main__"])


def _with_room(arguments: list[str]) -> int:
    """`run`, with room for a thousand frames above it.

    From 3.11 on Python keeps frames in pieces of 16 KiB, takes one more of the system where a call needs it, and gives
    it back when the call returns. What calls at such a border a thousand times, as `re` does where it compiles a
    pattern, then costs 10 ms. A frame that is said to be large gets a piece that has as much room again; what is not
    used of it takes no memory.
    """
    return run(arguments)


_ROOM = 1 << 16  # values
_with_room.__code__ = _with_room.__code__.replace(co_stacksize=_ROOM)


def _end(ended: Sequence[int]) -> None:
    """The last of what runs at the end. After it Python would only take its own memory apart, which is a tenth of a
    short command's time.
    """
    if ended:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except (OSError, ValueError):
            return  # Python says it in its own way
        os._exit(ended[0])


def run(arguments: list[str]) -> int:
    """The exit code of a command line."""
    verbose = any(word in ("-vv", "-vvv") for word in arguments) or arguments.count("-v") > 1
    try:
        with cudafit.make_context("cudafit", list(arguments)) as context:
            code = cudafit.invoke(context)
            verbose = verbosity(context) > 1
            sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        say_lines(error.format_message())
        return error.exit_code
    except click.ClickException as error:
        return _say(_as_input_error(error))
    except CudafitError as error:
        return _say(error)
    except (KeyboardInterrupt, click.Abort):
        say("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        _give_up_stdout()
        return BROKEN_PIPE
    except ModuleNotFoundError as error:
        if error.name not in _LEFT_OUT:
            return _bug(error, arguments, verbose=verbose)
        what = f"this copy of cudafit came without {_LEFT_OUT[error.name]}, which is needed here"
        return _say(InputError(what, hint="`pip install cudafit` brings it"))
    except OSError as error:
        if error.errno in _FULL and error.filename is None:
            _give_up_stdout()
            return _say(CudafitError(f"the output cannot be written: {error.strerror}"))
        return _bug(error, arguments, verbose=verbose)
    except Exception as bug:
        return _bug(bug, arguments, verbose=verbose)


def _bug(bug: Exception, arguments: list[str], *, verbose: bool) -> int:
    from cudafit.app.bug_report import report  # noqa: PLC0415 - needed only when something is wrong

    return _say(report(bug, arguments, say_lines if verbose else None), code=BUG)


def _give_up_stdout() -> None:
    """The reader has gone, or the disk is full: stdout leads elsewhere, so that the flush at exit does not complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(error: CudafitError, code: int | None = None) -> int:
    say_lines(str(error))
    return error.exit_code if code is None else code


def _as_input_error(error: click.ClickException) -> InputError:
    """A click error in the words and the form of ours."""
    message = error.format_message().rstrip(".")
    message = message[:1].lower() + message[1:]
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "cudafit"
    hint = getattr(error, "hint", None)  # of a misspelt command
    return InputError(message, hint=hint or f"`{path} --help` shows what it takes")
