"""A long text says what it would say if it were short."""

import random

import pytest

from cudafit import shipped
from cudafit.matrix.messages import read_rules
from cudafit.messages.scanning import Scanner
from cudafit.messages.sieve import Sieve
from tests.messages import meant, rules

FILLER = "epoch 3 step 100 loss 0.25 lr 0.001 eta 00:12:04\n" * 6000
WORDS = [
    "step",
    "loss",
    "batch",
    "token",
    "cuda",
    "memory",
    "worker",
    "shard",
    "queue",
    "status",
    "of",
    "driver",
    "merge",
    "page",
    "block",
]


@pytest.mark.slow
@pytest.mark.parametrize("part", range(8))
def test_the_examples_of_rules_are_found_in_the_middle_of_a_log(part: int) -> None:
    examples = [text for one in read_rules(shipped.folder("matrices")).written for text in one.plain["match"]]
    for text in examples[part::32]:
        whole, sieved = (
            {one.id for one in meant(begin + text + "\n" + end).matches} for begin, end in (("", ""), (FILLER, FILLER))
        )
        assert whole == sieved, text


def test_the_same_is_found_whatever_the_pieces_are() -> None:
    rng = random.Random(5)
    lines = [" ".join(rng.choices(WORDS, k=9)) for _ in range(5_200)]
    lines[3_000] = "RuntimeError: CUDA error: uncorrectable ECC error encountered"
    lines[5_000] = "cudaSetDevice err: 35"
    text = "\n".join(lines)
    told = [[(one.id, one.lines) for one in meant(text, step).matches] for step in (70_000, len(text))]
    assert told[0] == [("gpu.ecc_error", (3_001,)), ("driver.too_old_for_runtime", (5_001,))]
    assert told[1] == told[0]


def test_what_is_said_again_and_again_is_not_read_each_time() -> None:
    scanner = Scanner(rules())
    scanner.feed(b"W0 1 a.cc:12] cudaSetDevice err: 35\n" * 20_000)
    assert scanner.explanation().root == "driver.too_old_for_runtime"


def test_of_words_that_nobody_knows_few_are_kept() -> None:
    sieve = Sieve(rules(), lambda _: False)
    rng = random.Random(1)
    for _ in range(4):
        words = ("".join(rng.choices("ghijkpqvwxyz", k=9)) for _ in range(20_000))
        sieve.regions(" ".join(words).encode())
    assert len(sieve._dull) <= 120_000
