"""``dtws schema``: print the JSON Schema of a scenario."""

from __future__ import annotations

import json

import click

from harness.scenario.read import schema as scenario_schema


@click.command()
def schema() -> None:
    """Print the JSON Schema of a scenario (draft 2020-12)."""
    click.echo(json.dumps(scenario_schema(), indent=2, ensure_ascii=False))
