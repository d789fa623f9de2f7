"""`python -m solosolve` is the `solosolve` command, where no script of that name is installed."""

from solosolve.cli.main import main

main()
