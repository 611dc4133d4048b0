"""`python -m cudafit`, and what the command `cudafit` starts.

`python -m` puts the current folder first among those that modules are looked for in, and so does an empty or relative
entry of PYTHONPATH (`PYTHONPATH=$PYTHONPATH:/mine`, where it was not set): a `yaml.py` that lies there is none of ours.
"""

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` takes longer to load than a shell wants to wait
    from collections.abc import Sequence

if sys.version_info < (3, 10):  # noqa: UP036 - pip holds to it, a checkout or an unpacked wheel does not
    sys.stderr.write("error: cudafit needs Python 3.10 or newer; this is %d.%d\n" % sys.version_info[:2])  # noqa: UP031
    sys.exit(2)


def leave_out_the_current_folder() -> None:
    """Before anything is imported that is not part of Python. Where cudafit itself lies there, it is where ours are."""
    try:
        here = os.getcwd()
    except OSError:
        return  # it has been removed, and holds nothing
    ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    places = os.environ.get("PYTHONPATH", "").split(os.pathsep) if "PYTHONPATH" in os.environ else []
    relative = {os.path.join(here, one) if one else here for one in places if not os.path.isabs(one)}
    relative = {os.path.abspath(one) for one in relative} - {ours}
    if not getattr(sys.flags, "safe_path", False) and sys.path[:1] in ([""], [here]) and here != ours:
        del sys.path[0]
    sys.path[:] = [one for one in sys.path if os.path.abspath(one) not in relative]


leave_out_the_current_folder()
# What a command makes stays until its end, and few of it in circles: to look for those every 700 objects, as Python
# does, takes a tenth of a short command's time.
gc.set_threshold(100_000)


def main(arguments: "Sequence[str] | None" = None) -> None:
    """Loads the rest; not where a shell asks what Tab does, which it does at every press."""
    if arguments is None and sys.argv[1:3] == ["completion", "--words"]:
        try:
            from cudafit.completion.answer import main as answer  # noqa: PLC0415

            answer(sys.argv[3:])
        except Exception:  # noqa: S110 - whatever is broken, the line that somebody types must stay as it is
            pass
        return
    from cudafit.cli.main import main as run  # noqa: PLC0415

    run(arguments)


if __name__ == "__main__":
    main()
