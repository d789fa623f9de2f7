"""Feedback in the platform's table, written through a Databricks SQL warehouse."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from solosolve.names import FEEDBACK
from solosolve.schemas import SCHEMAS
from solosolve.storage.feedback import CURRENT_VERDICTS, Feedback, Verdict
from solosolve.storage.warehouse import Warehouse
from solosolve.table_properties import table_properties


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
            is_free = f"not exists (select 1 from {CURRENT_VERDICTS} as verdicts where complaint_id = :complaint_id)"
        self.warehouse.run(_CREATE_FEEDBACK)
        merged = self.warehouse.run(
            f"merge into {FEEDBACK} as known using (select {values} where {is_free}) as given "
            f"on known.feedback_id = given.feedback_id and {is_same} "
            f"when not matched then insert ({columns}) values ({', '.join(f'given.{name}' for name in row)})",
            row,
        ).to_pylist()
        return bool(merged and merged[0].get("num_inserted_rows"))


def _declared(column: pa.Field) -> str:
    return f"{column.name} {_SQL_TYPES[column.type]}{'' if column.nullable else ' not null'}"


_SQL_TYPES = {
    pa.string(): "string", pa.int64(): "bigint", pa.int32(): "int", pa.float64(): "double",
    pa.timestamp("us", tz="UTC"): "timestamp",
}  # fmt: skip
_PROPERTIES = ", ".join(f"'{name}' = '{value}'" for name, value in table_properties(FEEDBACK).items())
_COLUMNS = ", ".join(map(_declared, SCHEMAS[FEEDBACK]))
_CREATE_FEEDBACK = f"create table if not exists {FEEDBACK} ({_COLUMNS}) tblproperties ({_PROPERTIES})"
