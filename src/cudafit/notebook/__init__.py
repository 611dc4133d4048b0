"""`%cudafit` and `%%cudafit` for Jupyter and IPython.

Loading the extension imports nothing but this; everything else is imported when a magic is used.
"""
# ruff: noqa: PLC0415

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from cudafit.errors import CudafitError
from cudafit.system.text import harmless, harmless_lines

if TYPE_CHECKING:
    from cudafit.notebook.causes import Causes
    from cudafit.notebook.watching import CellWatch
    from cudafit.render.row import Row

_MARK = "%%cudafit"
_HELP = """\
%cudafit     why the GPU is not used: doctor for this kernel's Python, variables and folder
%%cudafit    as the first line of a cell: runs the cell as it is, and says whether it used the GPU
An error of a cell that concerns the GPU or its software is explained below it.
The tables name a root cause, its evidence and the fix. Nothing is changed."""
_HELP_WORDS = ("-h", "--help", "help", "?")

_loaded: dict[int, "_Magics"] = {}


def load(ipython: Any) -> None:
    """Once for each shell, however often it is asked for."""
    if id(ipython) not in _loaded:
        _loaded[id(ipython)] = _Magics(ipython)


def unload(ipython: Any) -> None:
    if magics := _loaded.pop(id(ipython), None):
        magics.remove()


class _Magics:
    """What the extension adds to a shell.

    A cell that begins with `%%cudafit` is not handed to a magic that would run it from inside: its error would not be
    the cell's, and `await` and a last semicolon would not do what they do. The line is taken out before the cell is
    read, and the cell is watched between the events that IPython has for it.
    """

    def __init__(self, ipython: Any) -> None:
        self._shell = ipython
        self._watch: CellWatch | None = None
        self._info: Any = None  # of the cell that is watched
        self._hidden: Any = None  # of a cell with the mark below another magic, as long as that is not watched
        self._transform = _without_mark()
        ipython.register_magic_function(self._magic, "line_cell", "cudafit")
        ipython.input_transformers_cleanup.append(self._transform)
        ipython.events.register("pre_run_cell", self._before)
        ipython.events.register("post_run_cell", self._after)

    def remove(self) -> None:
        shell = self._shell
        shell.events.unregister("pre_run_cell", self._before)
        shell.events.unregister("post_run_cell", self._after)
        shell.input_transformers_cleanup.remove(self._transform)
        for kind in ("line", "cell"):
            shell.magics_manager.magics[kind].pop("cudafit", None)

    def _magic(self, line: str, cell: str | None = None) -> None:
        """%cudafit: why the GPU is not used. %%cudafit: did this cell use the GPU? `%cudafit help` says more."""
        if cell is not None:
            # Whoever calls the magic by its name, as a notebook that was made a script.
            self._shell.run_cell(f"{_MARK} {line}\n{cell}")
            return
        words = line.split()
        if words and words[0] in _HELP_WORDS:
            _tell(_HELP)
            return
        if words:
            from IPython.core.error import UsageError

            raise UsageError(f"%cudafit takes no `{harmless(words[0])}`; `%cudafit help` says what there is")
        _in_words(_show_doctor, "%cudafit")

    def _before(self, info: Any) -> None:
        raw = info.raw_cell or ""
        if self._watch is not None:
            return
        if not _is_marked(raw):
            self._hidden = info if _is_marked_below(raw) else self._hidden
            return
        first, _, code = raw.lstrip().partition("\n")
        words = first.split()[1:]
        if words and words[0] in _HELP_WORDS:
            _tell(_HELP)
        elif words:
            _say(f"%%cudafit takes no `{words[0]}`; the cell runs without it. `%cudafit help` says what there is")
        elif not code.strip():
            _say("%%cudafit stands above the code of a cell, and there is none")
        else:
            self._info, self._hidden = info, None
            _in_words(self._begin, _MARK)

    def _begin(self) -> None:
        from cudafit.notebook.watching import CellWatch

        self._watch = CellWatch()

    def _after(self, result: Any = None) -> None:
        if self._hidden is not None and result is not None and result.info is self._hidden:
            self._hidden = None
            _say("%%cudafit was not run: it has to be the first line, other magics may follow it")
        if isinstance(error := getattr(result, "error_in_exec", None), Exception):
            _in_words(lambda: _show_error(error), "cudafit")
        # Of a cell that was cancelled there is no result.
        if self._watch is None or (result is not None and result.info is not self._info):
            return
        watch, info = self._watch, self._info
        self._watch = self._info = None
        _in_words(lambda: _show_cell(watch, info.raw_cell, self._earlier()), _MARK)

    def _earlier(self) -> list[tuple[int, str]]:
        """The cells that ran before, this one among them."""
        history = getattr(self._shell, "history_manager", None)
        return list(enumerate(history.input_hist_raw))[1:] if history else []


def _is_marked(cell: str) -> bool:
    words = cell.lstrip().partition("\n")[0].split()
    return bool(words) and words[0] == _MARK


def _is_marked_below(cell: str) -> bool:
    first, _, rest = cell.lstrip().partition("\n")
    return first.startswith("%%") and _is_marked(rest)


def _without_mark() -> Callable[[list[str]], list[str]]:
    def transform(lines: list[str]) -> list[str]:
        if not lines or not _is_marked(lines[0]):
            return lines
        # Left empty, so that the lines of an error are counted as they stand in the cell; unless a magic follows, which
        # has to be the first line.
        return lines[1:] if len(lines) > 1 and lines[1].startswith("%%") else ["\n", *lines[1:]]

    # In a terminal a cell magic is complete after an empty line; to see that, IPython must see the mark.
    transform.has_side_effects = True  # type: ignore[attr-defined]
    return transform


def _show_doctor() -> None:
    from cudafit.notebook.kernel import diagnosis, doctor_rows

    _display("cudafit doctor", doctor_rows(diagnosis()))


def _show_cell(watch: "CellWatch", raw: str, earlier: Sequence[tuple[int, str]]) -> None:
    from cudafit.notebook.cell import judge
    from cudafit.notebook.rows import cell_rows

    cell = watch.end()
    use = judge(cell)
    found: list[Causes] = []
    if use.used is not True:
        _in_words(lambda: found.append(_causes(raw, earlier)), _MARK)
    _display("cudafit: did this cell use the GPU?", cell_rows(cell, use, found[0] if found else None))


def _show_error(error: Exception) -> None:
    from cudafit.notebook.errors import error_rows

    if rows := error_rows(error):
        _display("cudafit: what this error means here", rows)


def _causes(raw: str, earlier: Sequence[tuple[int, str]]) -> "Causes":
    from cudafit.notebook.causes import causes

    return causes(raw, earlier)


def _display(title: str, rows: "Sequence[Row]") -> None:
    from IPython.display import display

    from cudafit.notebook.table import Table

    display(Table(title, rows))


def _in_words(act: Callable[[], None], name: str) -> None:
    """What goes wrong here is told, and is nothing that the cell would have to suffer for."""
    try:
        act()
    except CudafitError as error:
        _say(str(error))
    except KeyboardInterrupt:
        _say(f"{name} was interrupted")
    except Exception as bug:
        from cudafit.app.bug_report import report

        _say(str(report(bug, [name])))


def _tell(text: str) -> None:
    print(harmless_lines(text))  # noqa: T201 - the shell's own output


def _say(text: str) -> None:
    print(harmless_lines(text), file=sys.stderr)  # noqa: T201 - the shell's own error output
