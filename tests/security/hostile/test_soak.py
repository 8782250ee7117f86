"""Thousands of hostile requests of every kind: no answer of 500 or more, no HTML, no growing memory."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.live import Live
from tests.security.hostile.attacks import Attacks
from tests.security.hostile.soak import SLOWEST, TARGET, Talk, Verdict, resident, soak

REQUESTS = 3000
GROWTH = 60


def test_three_thousand_hostile_requests_are_answered_cleanly(live: Live) -> None:
    soak(live, REQUESTS // 3, seed=1)
    before = resident(live)
    verdict = soak(live, REQUESTS, seed=2)
    assert verdict.wrong == []
    assert sum(verdict.statuses.values()) >= REQUESTS * 0.98
    assert verdict.slowest[0] < SLOWEST, verdict.slowest
    assert resident(live) - before < GROWTH


KINDS = [kind.__name__ for kind in Attacks(0, "token").kinds]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_attack_alone(live: Live, kind: str) -> None:
    attacks, talk, verdict = Attacks(3, live.sign_in(), TARGET), Talk(live.port), Verdict()
    make: Callable[[], object] = getattr(attacks, kind)
    for _ in range(60):
        attack = make()
        verdict.judge(attack, talk.ask(attack), 0.0)  # type: ignore[arg-type]
    talk.close()
    assert verdict.wrong == []
    assert verdict.hung_up < 30
    assert any(400 <= status < 500 for status in verdict.statuses)
