"""Feedback in the platform's table, written through a Databricks SQL warehouse."""

from __future__ import annotations

from dataclasses import dataclass

from solosolve.names import FEEDBACK
from solosolve.storage.feedback import ALL_VERDICTS, Feedback, Verdict
from solosolve.storage.warehouse import Warehouse


@dataclass(frozen=True)
class WarehouseFeedback:
    """Feedback in the platform's table, protected by the warehouse's transactions."""

    warehouse: Warehouse

    def record(self, feedback: Feedback) -> bool:
        """Appends feedback once; see `FeedbackLog.record`.

        Raises:
            TableError: The warehouse refuses the row.
        """
        row = feedback.as_row()
        columns = ", ".join(row)
        values = ", ".join(f":{name} as {name}" for name in row)
        if feedback.verdict == Verdict.WITHDRAWN:
            is_same, is_free = f"known.verdict = '{Verdict.WITHDRAWN}'", "true"
        else:
            is_same = f"known.verdict <> '{Verdict.WITHDRAWN}'"
            is_free = (
                f"not exists (select 1 from {ALL_VERDICTS} as verdicts "
                "where complaint_id = :complaint_id and source = :source)"
            )
        merged = self.warehouse.run(
            f"merge into {FEEDBACK} as known using (select {values} where {is_free}) as given "
            f"on known.feedback_id = given.feedback_id and {is_same} "
            f"when not matched then insert ({columns}) values ({', '.join(f'given.{name}' for name in row)})",
            row,
        ).to_pylist()
        return bool(merged and merged[0].get("num_inserted_rows"))
