import click
@click.command(name="show")
def show():
    pass
