import click

from solosolve.task_values import set_task_value


@click.command()
@click.option("--day", required=True)
def command(day: str) -> None:
    set_task_value("count", 2)
    set_task_value("files", [{"path": f"{day}/a.csv"}, {"path": f"{day}/b.csv"}])


def main(argv: list[str]) -> None:
    command.main(args=argv, standalone_mode=False)
