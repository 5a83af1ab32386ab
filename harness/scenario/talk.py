"""Go through a scenario with a server that runs already: two rounds, strangers, and the horizon behind them."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field

from harness.chat import ending, exchanges, isolation
from harness.chat.conversation import Chat
from harness.chat.exchanges import HORIZON, Exchanged
from harness.chat.pulse import beating
from harness.chat.rounds import SEEDS, first_round, second_round
from harness.clients.connection import HandshakeRefused, SendFailed
from harness.errors import CellFailure, HarnessError
from harness.results.result import BROKEN_OFF, Exchange, Finding
from harness.scenario import further, strangers
from harness.scenario.client import ScenarioClient
from harness.system.waiting import Deadline, wait_until
from harness.verdict import Reason


@dataclass
class Talked:
    """What came of it."""

    #: Why it did not come to the end; None where it did, and everything was right.
    failure: CellFailure | None = None
    rounds: list[Exchanged] = field(default_factory=list)
    #: The rows of the scenario over both rounds: one is good when it is good in each.
    exchanges: list[Exchange] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def talk(chat: Chat, client: ScenarioClient) -> Talked:
    """Let the members in, go through both rounds, let strangers try, and judge when the horizon is reached.

    Then ask further, where all is right.
    """
    talked = Talked()
    try:
        chat.log_in()
        chat.connect()
        talked.rounds.append(exchanges.run(chat, first_round(chat.token, client.script)))
        # Another token: nothing of the first round is said again.
        again = second_round(f"{chat.token}-2", secrets.randbelow(SEEDS), client.script)
        talked.rounds.append(exchanges.run(chat, again))
        horizon = Deadline(HORIZON)
        with beating(chat):
            asks = wait_until(lambda: exchanges.right_by_now(chat, talked.rounds), horizon, every=0.2)
            # What a chat tells of strangers who come is nobody's fault.
            until = time.monotonic()
            if asks:
                talked.findings = _strangers(chat, client)
            wait_until(lambda: False, horizon, every=0.1)
        ending.look_at_the_end(chat, talked.rounds[-1], until, until if asks else None)
        isolation.look_again(chat, talked.findings)
        talked.findings += isolation.displaced(talked.rounds)
        talked.findings += isolation.of_other_runs(chat, talked.rounds[0])
        for each in talked.rounds:
            exchanges.judge_again(chat, each, until)
            talked.exchanges = exchanges.joined(talked.rounds)
        for each in talked.rounds:
            if each.too_slow:
                exchanges.check(each)
        if not all(each.good for each in talked.exchanges):
            raise CellFailure(Reason.EXCHANGE_WRONG, exchanges.what_was_wrong(talked.rounds[-1], talked.exchanges))
        if not asks:
            talked.findings.append(isolation.NOT_TRIED)
        talked.findings += further.ask(chat, any(each.seen.startswith("refused") for each in talked.findings))
    except CellFailure as failure:
        talked.failure = failure
        talked.exchanges = exchanges.joined(talked.rounds)
    finally:
        chat.close()
    return talked


def _strangers(chat: Chat, client: ScenarioClient) -> list[Finding]:
    found: list[Finding] = []
    try:
        found.extend(strangers.ask(chat, client))
    except (CellFailure, HarnessError, HandshakeRefused, SendFailed, OSError) as error:
        found.append(Finding(question=BROKEN_OFF[0], expected="yes", seen=str(error), good=False))
    return found
