"""The reviewer's newest verdicts, each with a button that withdraws it."""

from __future__ import annotations

from typing import Any

from dash import html
from dash.development.base_component import Component

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.review_progress import progress_of
from solosolve.dashboard.views.elements import attributes, empty, instant, table
from solosolve.errors import NotYetError, TableError
from solosolve.names import FEEDBACK, SECOND_READING
from solosolve.storage.feedback import ALL_VERDICTS

_RECENT = 10


def recent_verdicts(answers: Answers, reviewer: str) -> Component:
    """The reviewer's newest verdicts that have not been withdrawn, second readings included.

    Those of others are left out: whoever reads one of their complaints again must not know what they said.
    """
    columns = "given_at, complaint_id, verdict, reason, probability, source, feedback_id"
    sql = (
        f"select {columns} from {ALL_VERDICTS} as verdicts where reviewer = :reviewer order by given_at desc "
        f"limit {_RECENT}"
    )
    try:
        rows = answers.query(sql, (FEEDBACK,), {"reviewer": reviewer}).to_pylist()
        if not rows:
            has_others = progress_of(answers, reviewer).has_any
            return empty("No verdicts of yours yet, only of others." if has_others else "No verdicts yet.")
    except NotYetError:
        return empty("No verdicts yet.")
    except TableError as error:
        return empty(str(error))
    shown = [
        (
            instant(row["given_at"]),
            str(row["complaint_id"]),
            row["verdict"] + (" (second reading)" if row["source"] == SECOND_READING else ""),
            "–" if row["probability"] is None else f"{row['probability']:.0%}",
            row["reason"],
            undo_button(row["feedback_id"], row["complaint_id"], is_newest=number == 0),
        )
        for number, row in enumerate(rows)
    ]
    return table(("Time", "Complaint", "Verdict", "Model said", "Reason", "Undo"), shown, "Your recent verdicts")


def undo_button(feedback_id: str, complaint_id: int, *, is_newest: bool = False) -> Component:
    """A button that withdraws a verdict; the key Z presses that of the newest one."""
    return html.Button(
        ["Undo", html.Kbd("Z")] if is_newest else "Undo",
        id={"type": "undo", "feedback": feedback_id},
        n_clicks=0,
        type="button",
        className="undo",
        **_about(feedback_id, complaint_id),
    )


def undo_button_of_message(feedback_id: str, complaint_id: int) -> Component:
    """A button for a message, which Dash does not listen to: `review.js` presses the one in the list instead."""
    return html.Button("Undo", type="button", className="undo", **_about(feedback_id, complaint_id))


def _about(feedback_id: str, complaint_id: int) -> dict[str, Any]:
    return attributes(data_feedback=feedback_id, aria_label=f"Undo the verdict on complaint {complaint_id}")
