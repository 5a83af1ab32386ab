import click
@click.command(name="doctor")
def doctor():
    pass
