import click


@click.command()
@click.option("--reason", required=True)
def command(reason: str) -> None:
    pass


def main(argv: list[str]) -> None:
    command.main(args=argv, standalone_mode=False)
