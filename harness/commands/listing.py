import click
@click.command(name="list")
def list_():
    pass
