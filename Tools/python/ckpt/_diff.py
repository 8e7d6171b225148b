"""The result of a comparison, for people and for programs."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any

COLUMNS = ("kind", "name", "newName", "oldDtype", "newDtype", "oldShape", "newShape")
MEASURES = ("elements", "differing", "maxAbsolute", "relativeL2", "maxULP", "becameNaN", "becameInfinite",
            "noLongerNaN", "noLongerInfinite")
_NUMBERS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


class Diff:
    """What differs between two checkpoints.

    `diff.changes` are the changed tensors as the command's JSON has them, `diff.values` the changed values that are not
    tensors, and `diff.document` is that whole document. `diff.is_equal` says whether no tensor differs. In a notebook, a
    diff shows itself as a table.
    """

    def __init__(self, document: dict[str, Any], notes: list[str], first: str, second: str):
        self.document, self.notes, self.first, self.second = document, notes, first, second

    @property
    def changes(self) -> list[dict[str, Any]]:
        """The tensors that differ: kind, name, types and shapes before and after, and the measures of `difference`."""
        return self.document["changes"]

    @property
    def values(self) -> list[dict[str, Any]]:
        """The values that differ: address, old, and new."""
        return self.document.get("values", [])

    @property
    def identical(self) -> int:
        """Number of tensors that are equal."""
        return self.document["identical"]

    @property
    def is_equal(self) -> bool:
        """Whether no tensor differs, and all could be compared."""
        return not self.changes and not self.document.get("notCompared")

    def to_records(self) -> list[dict[str, Any]]:
        """A flat dictionary for each change, with the same keys in each: `pandas.DataFrame(diff.to_records())`."""
        records = []
        for change in self.changes:
            record = {key: change.get(key) for key in COLUMNS}
            difference = change.get("difference") or {}
            record.update({key: _number(difference.get(key)) for key in MEASURES})
            records.append(record)
        return records

    def summary(self) -> str:
        """One line: how many tensors of each kind of change, and how many are identical."""
        counts: dict[str, int] = {}
        for change in self.changes:
            counts[change["kind"]] = counts.get(change["kind"], 0) + 1
        parts = [f"{count:,} {kind}" for kind, count in counts.items()] + [f"{self.identical:,} identical"]
        special = {"becameNaN": "became NaN", "becameInfinite": "became infinite", "noLongerNaN": "no longer NaN",
                   "noLongerInfinite": "no longer infinite"}
        parts += [f"{self.document[key]:,} {text}" for key, text in special.items() if self.document.get(key)]
        if self.values:
            parts.append(f"{len(self.values):,} other value{'' if len(self.values) == 1 else 's'} changed")
        if unread := self.document.get("notCompared"):
            parts.append(f"{len(unread):,} not compared")
        return ", ".join(parts)

    def __len__(self) -> int:
        return len(self.changes)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.changes)

    def __repr__(self) -> str:
        return self.text()

    def text(self, limit: int | None = 50) -> str:
        """A line for each change, up to `limit`, and the summary."""
        rows = [("", "tensor", "what", "elements", "max |a - b|", "rel. L2")] + list(self._rows(limit))
        widths = [max(len(row[column]) for row in rows) for column in range(6)]
        lines = [f"{_shown(self.first)} -> {_shown(self.second)}"]
        if self.changes:
            for row in rows:
                cells = [text.ljust(width) if column < 3 else text.rjust(width)
                         for column, (text, width) in enumerate(zip(row, widths))]
                lines.append("  ".join(cells).rstrip())
        if limit is not None and len(self.changes) > limit:
            lines.append(f"and {len(self.changes) - limit:,} more")
        return "\n".join(lines + [self.summary()])

    def _rows(self, limit: int | None) -> Iterator[tuple[str, ...]]:
        signs = {"added": "+", "removed": "-", "renamed": ">"}
        for change in self.changes[:limit]:
            difference = change.get("difference") or {}
            measured = f"{difference['differing']:,} of {difference['elements']:,}" if "differing" in difference else ""
            yield (signs.get(change["kind"], "~"), _shown(change["name"]), _what(change), measured,
                   _short(difference.get("maxAbsolute")), _short(difference.get("relativeL2")))

    def _repr_html_(self) -> str:
        colors = {"+": "#1a7f37", "-": "#cf222e", ">": "#0969da", "~": "#9a6700"}
        cells = []
        for row in self._rows(200):
            texts = "".join(f"<td style='text-align:{'left' if column < 3 else 'right'}'>{html.escape(text)}</td>"
                            for column, text in enumerate(row))
            cells.append(f"<tr style='color:{colors[row[0]]}'>{texts}</tr>")
        more = f"<p>and {len(self.changes) - 200:,} more</p>" if len(self.changes) > 200 else ""
        head = "".join(f"<th>{title}</th>" for title in ("", "tensor", "what", "elements", "max |a − b|", "rel. L2"))
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(cells)}</tbody></table>" if cells else ""
        return (f"<div><b>{html.escape(_shown(self.first))} → {html.escape(_shown(self.second))}</b>{table}{more}"
                f"<p>{html.escape(self.summary())}</p></div>")


def _number(value):
    return _NUMBERS.get(value, value) if isinstance(value, str) else value


def _short(value) -> str:
    value = _number(value)
    return "" if value is None else f"{value:.3g}"


def _shown(text: str) -> str:
    """A text without control characters."""
    return "".join(character if character.isprintable() else f"\\u{{{ord(character):x}}}" for character in text)


def _what(change) -> str:
    kind = change["kind"]
    if kind == "renamed":
        return f"renamed to {_shown(change.get('newName') or '')}"
    if kind == "reshaped":
        return f"{change['oldShape']} → {change['newShape']}"
    if kind == "retyped":
        return f"{change['oldDtype']} → {change['newDtype']}"
    shape = change.get("newShape") or change.get("oldShape")
    return f"{kind} {change.get('newDtype') or change.get('oldDtype')} {shape}"
