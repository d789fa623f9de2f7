import click


@click.command()
@click.option("--file", required=True)
@click.option("--limit", type=click.IntRange(min=1), required=True)
def command(file: str, limit: int) -> None:
    pass


def main(argv: list[str]) -> None:
    command.main(args=argv, standalone_mode=False)
