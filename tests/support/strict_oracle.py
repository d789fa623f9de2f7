"""A second strict reading of RFC 4180, character by character, that shares no code with the project's readers."""

from __future__ import annotations

from dataclasses import dataclass

LINE_ENDS = ("\r\n", "\n", "\r")


@dataclass(frozen=True)
class Parsed:
    """A record: its fields, and the place after its line end; `is_ended` is false if the text ends without one."""

    fields: list[str]
    end: int
    is_ended: bool


def record_at(text: str, place: int, delimiter: str, longest_field: int) -> Parsed | None:
    """Reads the record that begins at a place; None if it is malformed."""
    fields: list[str] = []
    while True:
        value, place = _quoted(text, place) if text.startswith('"', place) else _plain(text, place, delimiter)
        if value is None or len(value) > longest_field:
            return None
        fields.append(value)
        if text.startswith(delimiter, place):
            place += 1
            continue
        size = line_end_at(text, place)
        if not size and place < len(text):
            return None
        return Parsed(fields, place + size, bool(size))


def line_end_at(text: str, place: int) -> int:
    """The length of the line end at a place, 0 if there is none."""
    return next((len(end) for end in LINE_ENDS if text.startswith(end, place)), 0)


def _plain(text: str, place: int, delimiter: str) -> tuple[str, int]:
    start = place
    while place < len(text) and text[place] not in (delimiter, "\n", "\r"):
        place += 1
    return text[start:place], place


def _quoted(text: str, place: int) -> tuple[str | None, int]:
    value: list[str] = []
    place += 1
    while place < len(text):
        if text[place] != '"':
            value.append(text[place])
            place += 1
        elif text.startswith('""', place):
            value.append('"')
            place += 2
        else:
            return "".join(value), place + 1
    return None, place
