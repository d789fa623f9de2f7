"""A bare Dash page with as many figures as a room, to compare first paints with; prints its address."""

from __future__ import annotations

import sys

import plotly.graph_objects as go
import waitress
from dash import Dash, dcc, html


def main() -> None:
    app = Dash(__name__)
    bars = go.Figure(go.Bar(x=list(range(20)), y=list(range(20))))
    app.layout = html.Div([dcc.Graph(id=f"graph-{number}", figure=bars) for number in range(int(sys.argv[1]))])
    server = waitress.create_server(app.server, host="127.0.0.1", port=0, threads=4)
    sys.stdout.write(f"http://127.0.0.1:{server.effective_port}\n")
    sys.stdout.flush()
    server.run()


if __name__ == "__main__":
    main()
