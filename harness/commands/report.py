import click
@click.command(name="report")
def report():
    pass
