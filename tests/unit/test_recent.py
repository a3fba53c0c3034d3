"""What a process remembers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from keywright.recent import MOST, Recent


def test_beyond_the_most_what_was_remembered_longest_ago_is_forgotten() -> None:
    recent = Recent[int, int]()
    for n in range(MOST):
        recent.remember(n, n)
    recent.remember(0, 100)
    recent.remember(MOST, MOST)
    assert (recent.find(0), recent.find(1), recent.find(2), recent.find(MOST)) == (100, None, 2, MOST)


def test_what_is_forgotten_may_be_forgotten_again() -> None:
    recent = Recent[str, int]()
    recent.remember("a", 1)
    recent.forget("a")
    recent.forget("a")
    assert recent.find("a") is None


def test_threads_share_it() -> None:
    recent = Recent[int, int]()

    def fill(start: int) -> None:
        for n in range(start, 4 * MOST, 4):
            recent.remember(n, n)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(fill, range(4)))
    assert sum(recent.find(n) == n for n in range(4 * MOST)) == MOST
