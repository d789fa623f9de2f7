"""A bare Dash page with the figures of a room, to compare first paints with; prints its address.

python bare_dash.py FIGURES, a JSON file with a list of figures as Plotly has them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import waitress
from dash import Dash, dcc, html


def main() -> None:
    app = Dash(__name__)
    figures = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    app.layout = html.Div([dcc.Graph(id=f"graph-{number}", figure=figure) for number, figure in enumerate(figures)])
    server = waitress.create_server(app.server, host="127.0.0.1", port=0, threads=4)
    sys.stdout.write(f"http://127.0.0.1:{server.effective_port}\n")
    sys.stdout.flush()
    server.run()


if __name__ == "__main__":
    main()
