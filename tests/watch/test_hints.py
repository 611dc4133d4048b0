"""What a job's code says about its loader and about offloading."""

import pytest

from cudafit.watch.hints import Hints, hints_in


@pytest.mark.parametrize(
    ("text", "hints"),
    [
        ("DataLoader(data, batch_size=4)", Hints(loaders=(1,))),
        ("x = 1\ntorch.utils.data.DataLoader(data, num_workers=0)", Hints(loaders=(2,))),
        ("DataLoader(data, num_workers=8)", Hints()),
        ("DataLoader(data, num_workers=args.workers)", Hints()),
        ("DataLoader(data, **options)", Hints()),
        ("DataLoader(data, 4, True, None, None, 8)", Hints()),
        ("DataLoader(*given)", Hints()),
        ("Model.from_pretrained(name, device_map='auto')", Hints(offloads=(1,))),
        ("pipe.enable_sequential_cpu_offload()", Hints(offloads=(1,))),
        ("Model.from_pretrained(name, device_map='cuda:0')", Hints()),
        ("Model.from_pretrained(name, device_map=chosen)", Hints()),
        ("print 'Python 2'", Hints()),
        ("{" * 500, Hints()),
    ],
)
def test_hints(text: str, hints: Hints) -> None:
    assert hints_in(text) == hints
