"""Signals that ask cudafit to stop: raised at once, held off, or left to whoever ignores them."""

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from cudafit.system.interrupts import Stopped, held_off, stoppable

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT]


@pytest.fixture(autouse=True)
def _as_in_a_terminal() -> Iterator[None]:
    """Whoever started the tests may ignore some of them, as `nohup` does, and a shell for what is in the background."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def send(number: int) -> None:
    os.kill(os.getpid(), number)


def handlers() -> list[object]:
    return [signal.getsignal(number) for number in SIGNALS]


@pytest.mark.parametrize("number", SIGNALS)
def test_each_of_them_stops(number: signal.Signals) -> None:
    before = handlers()
    with pytest.raises(Stopped) as caught, stoppable():
        send(number)
    assert caught.value.signal == number
    assert isinstance(caught.value, KeyboardInterrupt)
    assert handlers() == before


@pytest.mark.parametrize("number", SIGNALS)
def test_held_off_it_is_said_once_and_raised_at_the_end(number: signal.Signals) -> None:
    before = handlers()
    said: list[str] = []

    def work() -> None:
        with held_off(lambda: said.append("heard")):
            send(number)
            send(number)
            said.append("done")

    with pytest.raises(Stopped):
        work()
    assert (said, handlers()) == (["heard", "done"], before)


def test_within_another_it_waits_for_the_outer_one() -> None:
    steps: list[str] = []

    def work() -> None:
        with held_off():
            with held_off():
                send(signal.SIGTERM)
                steps.append("inner")
            steps.append("outer")

    with pytest.raises(Stopped):
        work()
    assert steps == ["inner", "outer"]


def test_an_error_that_comes_first_goes_first() -> None:
    def fail() -> None:
        with held_off():
            send(signal.SIGTERM)
            raise ValueError("first")

    with pytest.raises(ValueError, match="first"):
        fail()
    with held_off():
        pass  # and the signal is not remembered


def test_a_second_one_at_once_is_the_same_wish() -> None:
    with stoppable():
        try:
            send(signal.SIGHUP)
        except Stopped:
            send(signal.SIGTERM)
            reached = True
    assert reached


def test_nohup_is_heeded() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stoppable():
            send(signal.SIGHUP)
        with held_off():
            send(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_in_another_thread_nothing_is_changed() -> None:
    before, found = handlers(), []

    def look() -> None:
        with stoppable(), held_off():
            found.extend(handlers())

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == before
