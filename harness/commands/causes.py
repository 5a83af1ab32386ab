"""``causes``: what all failures and catches come from, and what mends them."""

from __future__ import annotations

import click
from rich.text import Text

from harness.commands import options
from harness.commands.results import name_damaged, read_some
from harness.commands.terminal import console
from harness.errors import UsageError
from harness.report import causes as tables
from harness.report.advice import Advisor
from harness.report.drafts import drafts
from harness.results.folder import Reports
from harness.results.roots import Root


@click.command()
@click.option(
    "--draft",
    "drafted",
    metavar="NAME",
    help="Print the draft of an issue about the cause of this name: one for each package that shows it.",
)
@options.reports
def causes(drafted: str | None, reports: Reports) -> int:
    """Put every failure and every catch together by what they come from, with what mends them."""
    view = read_some(reports, ())
    advisor = Advisor(view)
    known = advisor.remedies.roots
    code = name_damaged(view.damaged)
    if drafted is not None:
        made = drafts(_named(drafted, known), advisor)
        click.echo("\n\n".join(made) or "Nobody upstream decides this: it is the code of this project, or your own.")
        return code
    terminal = console()
    for root in known:
        terminal.print(Text(f"{len(root.results):>4}  {root.id}", style="bold"))
        terminal.print(Text(f"      {root.told} ({', '.join(root.libraries)})"))
        terminal.print(Text(f"      from: {root.explained or 'not known yet'}"))
        if root.cures or root.attempts:
            terminal.print(Text(f"      mends it: {tables.mended(root, advisor.remedies)}"))
    unexplained, wrong = tables.unexplained(known)
    terminal.print(
        f"{wrong} cells do not work, or had a catch when they were asked; "
        f"the cause of one is not known in {unexplained} of them."
    )
    return code


def _named(name: str, known: list[Root]) -> Root:
    for root in known:
        if root.id == name:
            return root
    hint = ", ".join(root.id for root in known[:3]) or "none"
    raise UsageError(f"there is no cause called {name!r}", f"known are {hint} and others; `harness causes` lists them")
