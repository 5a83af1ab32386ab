"""``schema``: print the JSON Schema of a result."""

from __future__ import annotations

import json

import click

from harness.results.document import schema as result_schema


@click.command()
def schema() -> None:
    """Print the JSON Schema of a cell's result (draft 2020-12)."""
    click.echo(json.dumps(result_schema(), indent=2, ensure_ascii=False))
