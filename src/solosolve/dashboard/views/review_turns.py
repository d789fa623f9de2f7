"""Which complaint the review room opens, for whom, and what is drawn around it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from dash import no_update

from solosolve.dashboard.data.complaint_lookup import complaint_id_from_json
from solosolve.dashboard.data.review_desk import ReviewDesk
from solosolve.dashboard.data.verdicts import new_review_item
from solosolve.dashboard.views.progress_tiles import progress_tiles
from solosolve.dashboard.views.queue_panel import claims_of_others, queue_view
from solosolve.dashboard.views.recent_verdicts import recent_verdicts

_PICK = ("complaint_id", "picked_by", "pick_probability")


@dataclass(frozen=True)
class ReviewState:
    """What a browser shows and wants when it asks for the queue.

    Attributes:
        search: The query string of the address.
        group: Which complaints to show; see `queue_view`.
        is_hidden: Whether to hide the probability.
        item: The complaint under review.
        done: What the last verdict or withdrawal has done; None if the queue is asked for another reason.
        wanted: The complaint that the address has just asked for; None if it asks for none.
    """

    search: object = ""
    group: object = "all"
    is_hidden: bool = False
    item: object = None
    done: object = None
    wanted: int | None = None


def number_of(item: object) -> int | None:
    """Returns the complaint of an item that a browser sent; None if it is not one."""
    return complaint_id_from_json(item.get("complaint_id")) if isinstance(item, dict) else None


def queue_contents(desk: ReviewDesk, state: ReviewState, reviewer: str) -> tuple[Any, ...]:
    """Redraws the room around the complaint under review, and opens another one if that one no longer waits.

    Args:
        desk: Where complaints, verdicts and claims are read.
        state: What the browser shows.
        reviewer: Whose room it is.

    Returns:
        The queue, who is reading what, the recent verdicts, the progress, the item under review (`no_update` if it
        stays), and how each complaint of the queue was picked.
    """
    view = queue_view(desk, state.search, state.group, is_hidden=state.is_hidden, reviewer=reviewer)
    item = _item_to_show(desk, state, view.rows, reviewer)
    return (
        view.content,
        claims_of_others(list(desk.claims.of_others(reviewer).values())),
        recent_verdicts(desk.answers, reviewer),
        progress_tiles(desk.answers, reviewer, view.waiting),
        item,
        [{name: row[name] for name in _PICK} for row in view.rows],
    )


def open_complaint(
    desk: ReviewDesk, state: ReviewState, picks: object, complaint_id: object, reviewer: str
) -> tuple[Any, ...]:
    """Opens a complaint of the queue for a reviewer.

    Args:
        desk: Where claims are kept.
        state: What the browser shows.
        picks: The complaints of the queue that the browser shows, and how they were picked.
        complaint_id: The complaint; None for the one after the complaint under review.
        reviewer: Who opens it.

    Returns:
        The same as `queue_contents`, with the complaint as the item; if someone else has it, the item stays.
    """
    rows = [each for each in picks if isinstance(each, dict)] if isinstance(picks, list) else []
    numbers = [complaint_id_from_json(each.get("complaint_id")) for each in rows]
    if complaint_id is None:
        here = number_of(state.item)
        after = numbers.index(here) + 1 if here in numbers else 0
        order = [*range(after, len(rows)), *range(after)]
    else:
        order = [number for number, each in enumerate(numbers) if each == complaint_id_from_json(complaint_id)]
    claimed = next((item for place in order if (item := _claimed(desk, rows[place], reviewer))), None)
    if claimed is None:
        return queue_contents(desk, state, reviewer)
    # All of it, because this answer may overtake the one that a verdict has just asked for.
    *around, _, rows_shown = queue_contents(desk, replace(state, item=claimed, done=None, wanted=None), reviewer)
    return (*around, claimed, rows_shown)


def _item_to_show(desk: ReviewDesk, state: ReviewState, rows: list[dict[str, Any]], reviewer: str) -> Any:
    """The item to open; `no_update` if the present one stays, None if there is nothing to review."""
    done = state.done if isinstance(state.done, dict) else {}
    if done.get("what") == "refused":
        # Its note is still in the form.
        return no_update
    if done.get("what") == "withdrawn":
        pick = done["pick"] if isinstance(done.get("pick"), dict) else {}
        return _claimed(desk, {**pick, "complaint_id": done.get("complaint_id")}, reviewer) or no_update
    asked = state.wanted is not None and _claimed(desk, {"complaint_id": state.wanted}, reviewer)
    if asked:
        return no_update if number_of(state.item) == state.wanted else asked
    here, held = number_of(state.item), desk.claims.of(reviewer)
    numbers = [row["complaint_id"] for row in rows]
    if here is not None and here in numbers and desk.claims.claim(here, reviewer).reviewer == reviewer:
        return no_update
    # After a reload, the complaint that was open comes first.
    first = [row for row in rows if held is not None and row["complaint_id"] == held.complaint_id]
    return next((item for row in [*first, *rows] if (item := _claimed(desk, row, reviewer))), None)


def _claimed(desk: ReviewDesk, pick: dict[str, Any], reviewer: str) -> dict[str, object] | None:
    """A new item for a complaint if the reviewer gets it; None if someone else is reading it."""
    complaint_id = complaint_id_from_json(pick.get("complaint_id"))
    if complaint_id is None:
        return None
    claim = desk.claims.claim(complaint_id, reviewer)
    if claim.reviewer != reviewer:
        return None
    return new_review_item(complaint_id, pick) | {"until": f"{claim.until:%H:%M} UTC"}
