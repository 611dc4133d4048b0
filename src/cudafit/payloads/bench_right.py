"""Is what a framework computes right? Judged by Python itself, in float64, from inputs that Python drew a moment ago:
no library vouches for itself, and yesterday's result passes no more than a constant does.

Each test gives the largest error in proportion to what went in, and None where anything is not a number.
"""

from __future__ import annotations

import cmath
import math
from operator import mul
from typing import Any, Iterable, Sequence

Values = Sequence[float]


class Right:
    """The tests, for one backend."""

    def __init__(self, backend: Any, drawn: Any) -> None:
        self.backend = backend
        self.drawn = drawn

    def given(self, shape: tuple[int, ...], dtype: str) -> tuple[Any, list[float]]:
        """Numbers on the device, and what they are there: rounded to the dtype."""
        numbers = [self.drawn.uniform(-1, 1) for _ in range(math.prod(shape))]
        there = self.backend.array(numbers, shape, dtype)
        return there, self.backend.flat(there)

    def matmul(self, dtype: str) -> dict[str, Any]:
        rows, inner, columns = 96, 128, 64
        left, a = self.given((rows, inner), dtype)
        right, b = self.given((inner, columns), dtype)
        out = self.backend.matmul(left, right, dtype)
        c = self.backend.flat(out)
        lines = [a[i * inner : (i + 1) * inner] for i in range(rows)]
        got = [c[i * columns : (i + 1) * columns] for i in range(rows)]
        error = product_error(lines, [b[j::columns] for j in range(columns)], got)
        return {"max_error": error, "where": self.backend.where(out)}

    def reduction(self, dtype: str) -> dict[str, Any]:
        x, values = self.given((257, 255), dtype)
        total, largest = self.backend.total(x), self.backend.largest(x)
        right = math.fsum(values)
        scale = math.sqrt(math.fsum(one * one for one in values) * len(values))
        return {"max_error": worst([abs(total - right) / scale, abs(largest - max(values))])}

    def uniform(self, dtype: str) -> dict[str, Any]:
        """By how many standard deviations random numbers miss mean, variance and independence."""
        count = 1 << 16
        first, second = (
            self.backend.flat(self.backend.random_numbers(count, dtype, self.drawn.randrange(1 << 30)))
            for _ in range(2)
        )
        if not all(-1 <= one <= 1 for one in first):
            return {"max_error": None}
        mean = math.fsum(first) / count
        variance = math.fsum(one * one for one in first) / count
        together = math.fsum(map(mul, first, second)) / count
        root = math.sqrt(count)
        # The variances of a uniform x from -1 to 1, of its square, and of the product of two: 1/3, 4/45 and 1/9.
        errors = [abs(mean) * root * math.sqrt(3), abs(variance - 1 / 3) * root * math.sqrt(45 / 4)]
        return {"max_error": worst([*errors, abs(together) * root * 3])}

    def conv2d(self, dtype: str) -> dict[str, Any]:
        batch, into, size, out = 2, 8, 12, 8
        x, values = self.given((batch, into, size, size), dtype)
        w, weights = self.given((out, into, 3, 3), dtype)
        made = self.backend.flat(self.backend.conv2d(x, w))
        side = size - 2
        patches, got = [], []
        for image in range(batch):
            for row in range(side):
                for column in range(side):
                    starts = [
                        ((image * into + channel) * size + row + line) * size + column
                        for channel in range(into)
                        for line in range(3)
                    ]
                    patches.append([value for at in starts for value in values[at : at + 3]])
                    got.append([made[((image * out + o) * side + row) * side + column] for o in range(out)])
        filters = [weights[o * into * 9 : (o + 1) * into * 9] for o in range(out)]
        return {"max_error": product_error(patches, filters, got)}

    def fft(self, dtype: str) -> dict[str, Any]:
        length = 360
        x, values = self.given((length,), "float32")
        real, imaginary = self.backend.fft(x)
        turns = [cmath.exp(-2j * math.pi * k / length) for k in range(length)]
        scale = math.sqrt(math.fsum(one * one for one in values))
        errors = []
        for k in range(length):
            right = sum(value * turns[n * k % length] for n, value in enumerate(values))
            errors.append(abs(complex(real[k], imaginary[k]) - right) / scale)
        return {"max_error": worst(errors)}

    def attention(self, dtype: str) -> dict[str, Any]:
        heads, tokens, width = 2, 48, 32
        shape = (1, heads, tokens, width)
        (q, queries), (k, keys), (v, contents) = (self.given(shape, dtype) for _ in range(3))
        made = rows_of(self.backend.flat(self.backend.attention(q, k, v)), width)
        asked, known, told = (rows_of(one, width) for one in (queries, keys, contents))
        errors = []
        for at, mine in enumerate(asked):
            head = range(at // tokens * tokens, (at // tokens + 1) * tokens)
            scores = [sum(map(mul, mine, known[other])) / math.sqrt(width) for other in head]
            weights = [math.exp(score - max(scores)) for score in scores]
            total = math.fsum(weights)
            for offset in range(width):
                right = sum(weight * told[other][offset] for weight, other in zip(weights, head)) / total
                errors.append(abs(made[at][offset] - right))
        return {"max_error": worst(errors)}


def rows_of(values: Values, width: int) -> list[Values]:
    return [values[at : at + width] for at in range(0, len(values), width)]


def product_error(lines: Iterable[Values], others: Sequence[Values], got: Iterable[Values]) -> float | None:
    """The largest error of the products of lines with others, in parts of the lengths of the two."""
    lengths = [math.sqrt(math.fsum(one * one for one in other)) for other in others]
    errors = []
    for line, row in zip(lines, got):
        length = math.sqrt(math.fsum(one * one for one in line))
        errors += [
            abs(value - sum(map(mul, line, other))) / (length * width or 1.0)
            for other, width, value in zip(others, lengths, row)
        ]
    return worst(errors)


def worst(errors: Sequence[float]) -> float | None:
    """The largest; None where there is none or one is not a number, which passes nowhere."""
    return max(errors) if errors and all(map(math.isfinite, errors)) else None
