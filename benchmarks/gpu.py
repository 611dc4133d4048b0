"""All of `cudafit bench` on this machine's GPU, what it costs, and how near its matmul comes to the best there is.

    make gpu [GPU_ENV=path/of/an/environment/with/torch]

Writes benchmarks/results/<gpu>.json. Without a GPU nothing is written.
"""

import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"

# A long search: shapes around and far from the benchmark's own, each with the time of a median of twenty.
SEARCH = """
import json, statistics, sys, time, torch
best, start = (0.0, None), time.monotonic()
for m in (2048, 4096, 6144, 8192, 12288, 16384):
    for n in (2048, 4096, 6144, 8192, 12288, 16384):
        for k in (2048, 4096, 8192, 16384):
            if 2 * (m * k + k * n + m * n) > torch.cuda.mem_get_info()[0] / 3:
                continue
            a = torch.rand(m, k, device="cuda").mul_(2).sub_(1).bfloat16()
            b = torch.rand(k, n, device="cuda").mul_(2).sub_(1).bfloat16()
            out = torch.empty(m, n, device="cuda", dtype=torch.bfloat16)
            taken = []
            for turn in range(23):
                begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
                begin.record(); torch.matmul(a, b, out=out); end.record(); end.synchronize()
                taken += [begin.elapsed_time(end)] if turn > 2 else []
            best = max(best, (2 * m * n * k / statistics.median(taken) / 1e9, (m, n, k)))
print("best", json.dumps({"tflops": best[0], "shape": best[1], "seconds": time.monotonic() - start}))
"""


def main(env: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        runs = {mode: bench(env, mode, Path(folder)) for mode in ("quick", "default", "full")}
    device = runs["default"]["device"]
    if not device["used_gpu"]:
        causes = "; ".join(cause["text"] for cause in runs["default"]["causes"])
        print(f"nothing is written: {causes}", file=sys.stderr)
        return 3
    for mode, run in runs.items():
        print(f"{mode.ljust(8)} {run['verdict']}, {run['wall_s']:.1f} s to the verdict")
    told: dict[str, Any] = {"runs": runs, "search": search(env)}
    if told["search"]:
        own = best_matmul(runs["default"])
        told["of_the_best"] = round(own / told["search"]["tflops"], 4)
        print(f"matmul   {own:.0f} TFLOP/s, {told['of_the_best']:.3f} of the best of a search over shapes")
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{re.sub(r'[^a-z0-9]+', '-', device['name'].lower()).strip('-')}.json"
    path.write_text(json.dumps(told, indent=2) + "\n")
    print(f"written  {path}")
    return 0


def bench(env: str, mode: str, folder: Path) -> dict[str, Any]:
    """The result with the time that the whole command took; the environment's place is nobody's business."""
    flag = [] if mode == "default" else [f"--{mode}"]
    start = time.monotonic()
    command = [sys.executable, "-m", "cudafit", "bench", env, "--json", "--save", str(folder / f"{mode}.json"), *flag]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not done.stdout:
        raise SystemExit(done.stderr)
    told: dict[str, Any] = json.loads(done.stdout)
    return {**told, "environment": None, "wall_s": round(time.monotonic() - start, 2)}


def best_matmul(run: dict[str, Any]) -> float:
    speeds = [
        one for one in run["results"] if (one["test"], one["dtype"], one["kind"]) == ("matmul", "bfloat16", "speed")
    ]
    return max((one["value"] or 0.0 for one in speeds), default=0.0)


def search(env: str) -> dict[str, Any] | None:
    """None where the environment has no torch that sees a GPU."""
    done = subprocess.run([f"{env}/bin/python", "-c", SEARCH], capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("best ")]
    return json.loads(lines[-1].removeprefix("best ")) if lines else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
