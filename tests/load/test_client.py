"""The load client, in a process of its own, against servers that misbehave."""

from __future__ import annotations

import resource
import signal
import time

import psutil
import pytest
from crowds import client, plan_for, serving, step_of

pytestmark = [pytest.mark.cell, pytest.mark.usefixtures("no_survivors")]


def test_all_is_well(tmp_path):
    """Every socket stands and has every message once, and each delivery is in the histogram."""
    step = step_of("well", 300, tmp_path, messages=3)
    assert step.whole
    assert (step.connected, step.stood, step.latency.count) == (300, 300, 900)
    assert [(each.delivered, each.lost, each.late, each.duplicated) for each in step.messages] == [(300, 0, 0, 0)] * 3
    assert step.latency.p50 <= step.latency.p95 <= step.latency.p99 <= step.latency.max
    assert (step.foreign, step.closed, step.refused, step.ended) == (0, {}, {}, "")


def test_rate(tmp_path):
    """A rate is raised from point to point, and each delivery of each point is timed."""
    # Not that this machine is fast, which has other things to do, but that each point is gone to.
    step = step_of("well", 20, tmp_path, rates=[50, 100], bound_ms=60_000.0)
    assert [(each.rate, each.sent, each.delivered, each.expected) for each in step.rates] == [
        (50, 100, 2000, 2000),
        (100, 200, 4000, 4000),
    ]
    assert [each.latency.count for each in step.rates] == [2000, 4000]


def test_rate_that_is_too_high(tmp_path):
    """The point whose p99 is over its bound is the last, and no good one."""
    step = step_of("well", 20, tmp_path, rates=[50, 100], bound_ms=0.001)
    assert [each.good for each in step.rates] == [False]
    assert step.best_rate is None


@pytest.mark.parametrize(
    ("way", "lost", "duplicated"), [("withholds", 10, 0), ("doubles", 0, 100)], ids=["withholds", "doubles"]
)
def test_wrong_deliveries(way, lost, duplicated, tmp_path):
    """What never came although later things did is lost, and what came again is counted again."""
    step = step_of(way, 100, tmp_path)
    message = step.messages[0]
    assert (message.delivered, message.lost, message.duplicated) == (100 - lost, lost, duplicated)
    assert not step.whole
    assert not step.ended


def test_every_tenth_is_closed(tmp_path):
    """Sockets that are closed are counted with their code, and the others have what was sent."""
    step = step_of("closes every tenth", 99, tmp_path)  # the publisher's is the first connection
    assert step.closed == {"close code 1011": 10}
    assert (step.stood, step.messages[0].delivered) == (89, 89)


def test_publisher_who_is_closed(tmp_path):
    """Whose messages the server will not have for a while is waited for like one whom it does not answer."""
    step = step_of("shuns speakers", 30, tmp_path)
    assert step.whole
    assert 1 <= step.publisher_closed <= 4


def test_rubbish(tmp_path):
    """Messages that nobody sent are counted, and do not pass for others."""
    step = step_of("sends rubbish", 50, tmp_path)
    assert step.foreign == 50
    assert step.messages[0].delivered == 50
    assert not step.whole


def test_broken_frames(tmp_path):
    """Who sends what is no frame loses that connection, and no other."""
    step = step_of("breaks frames", 99, tmp_path)
    assert step.closed == {"dropped": 50}
    assert step.messages[0].delivered == 49


@pytest.mark.parametrize(
    ("way", "ended"),
    [
        ("never answers", "the publisher was not let in: no answer within 1 s"),
        ("never speaks", "no subscription stands: nothing arrives on any socket"),
        ("a byte a second", "no subscription stands: nothing arrives on any socket"),
    ],
)
def test_silence(way, ended, tmp_path):
    """Who waits for a server that says nothing, or next to nothing, does not wait for ever."""
    step = step_of(way, 20, tmp_path)
    assert step.ended == ended
    assert step.messages == []
    # Without the start of the client and of its server, which a busy machine takes its time for.
    assert step.connect_seconds + step.stand_seconds < 10


def test_refused(tmp_path):
    """Handshakes that are refused are counted by their status."""
    step = step_of("refuses", 20, tmp_path)
    assert step.refused == {"status 403": 20}
    assert step.connected == 0


def test_server_that_dies(tmp_path):
    """When the server is gone the step ends, with what was opened and what closed it."""
    step = step_of("dies at 60", 300, tmp_path)
    assert step.ended == "the publisher was not let in: ECONNREFUSED"
    assert 0 < step.connected < 300
    assert sum(step.closed.values()) == step.connected
    assert sum(step.refused.values()) > 200


def test_few_file_descriptors(tmp_path):
    """With a low limit that cannot be raised, the limit is what is named."""

    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))

    step = step_of("well", 1000, tmp_path, options={"preexec_fn": limit})
    assert set(step.refused) == {"no file descriptor is left"}
    assert 200 < step.connected < 256
    assert step.messages[0].delivered == step.connected  # those that are open have it


def test_interrupted(tmp_path):
    """Whoever is interrupted with thousands of sockets open ends at once, with what there is by then."""
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 2100:
        pytest.skip("not so many file descriptors are allowed")
    with serving("well") as port, client(plan_for(port, 2000, messages=10_000), tmp_path) as (process, read):
        running = psutil.Process(process.pid)
        while running.num_fds() < 2000 and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        _, said = process.communicate(timeout=30)
        assert process.returncode == 0, said
        assert time.monotonic() - began < 15
        assert read().ended == "interrupted"
        assert read().connected > 1900


def test_no_time_left(tmp_path):
    """A step that is not through within its time ends with what it has."""
    step = step_of("well", 50, tmp_path, messages=1_000_000, deadline=1.5)
    assert step.ended == "not through within 2 s"
    assert step.messages
    assert step.messages[0].delivered == 50
