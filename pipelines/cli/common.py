"""What do all commands share: times, faults, tables, and where output goes?

Results go to stdout, progress to stderr. Exit codes: 0 done, 1 our fault, 2 wrong use or settings, 3 done but rows were
quarantined, a line could not be used or a command was rejected; 141 nobody read on; 143 stopped from outside.
"""

from __future__ import annotations

import errno
import logging
import os
import select
import signal
import sys
import threading
import traceback
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

import click

from geo.errors import CeasewatchError
from pipelines.stages import seldom_collecting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SHOWN: Final = 25
"""How many incidents are listed on the screen."""
OURS: Final = 1
YOURS: Final = 2
QUARANTINED: Final = 3
STOPPED: Final = 128 + signal.SIGTERM
UNREAD: Final = 128 + signal.SIGPIPE
_OUTSIDE: Final = frozenset(
    {errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.ENOTDIR, errno.EIO}
)


_NO_MEMORY: Final = (
    "memory ran out. What was recorded and published before stands, and nothing is half done. Free some, or do it "
    "again on a machine with more: what a run takes grows with the reports that it assesses. With a window_d in "
    "policy.toml, runs after the first leave out what is settled."
)


class Moment(click.ParamType[datetime]):
    """A moment with its offset from UTC, such as 2026-03-01T12:00Z; its value is aware UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:  # noqa: ANN401 -- click's own signature
        """Return the moment, or refuse the text with a sentence that says what to write."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no time; write it as 2026-03-01T12:00Z", param, ctx)
        if moment.tzinfo is None:
            hint = moment.isoformat(timespec="minutes")
            self.fail(f"{value!r} does not say its offset from UTC; write {hint}Z, or {hint}+02:00", param, ctx)
        return moment.astimezone(UTC)


class Command(click.Command):
    """A command with ``--json`` and ``--debug`` that says whose fault a fault is."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 -- click's own signature
        super().__init__(*args, **kwargs)
        self.params += [
            click.Option(["--json", "as_json"], is_flag=True, help="Print one JSON object, for scripts."),
            click.Option(["--debug"], is_flag=True, help="Show where in the program a fault arose."),
        ]

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 -- click's own signature
        """Run the command; faults become a sentence and an exit code."""
        debug = ctx.meta["debug"] = ctx.params.pop("debug")
        try:
            with _stoppable(), seldom_collecting():
                done = super().invoke(ctx)
                sys.stdout.flush()
                return done
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as fault:  # noqa: BLE001 -- the edge: nothing is above it
            if isinstance(fault, BrokenPipeError) and _unread():
                ctx.exit(UNREAD)
            if debug:
                traceback.print_exc()
            code, sentence = judge(fault)
            click.echo(f"Error: {sentence}", err=True)
            ctx.exit(code)


def _unread() -> bool:
    """Tell whether whoever was reading what is printed has gone, as ``head`` does; then nothing more is printed."""
    gone = [stream.fileno() for stream in (sys.stdout, sys.stderr) if _broken(stream)]
    with Path(os.devnull).open("w") as nowhere:
        for number in gone:
            os.dup2(nowhere.fileno(), number)  # else Python complains when it ends
    return bool(gone)


def _broken(stream: TextIO) -> bool:
    """Tell whether a stream is a pipe that nobody reads from any more."""
    asked = select.poll()
    try:
        asked.register(stream, 0)
    except (OSError, ValueError):  # it is no file
        return False
    return any(events & select.POLLERR for _, events in asked.poll(0))


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let SIGTERM end the work like any other fault: what is half done is undone, and the exit code is 143."""

    def stop(*_: object) -> None:
        raise SystemExit(STOPPED)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except SystemExit as end:
        if end.code == STOPPED:
            say("Stopped. What was recorded before stays, and nothing is half recorded: do the rest again.")
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def judge(fault: Exception) -> tuple[int, str]:
    """Return the exit code of a fault, and the sentence for the user."""
    if isinstance(fault, CeasewatchError) and not isinstance(fault, RuntimeError):
        return YOURS, str(fault)
    if isinstance(fault, OSError) and fault.errno in _OUTSIDE:
        return YOURS, f"{fault.filename or 'a file'}: {fault.strerror}"
    if isinstance(fault, MemoryError):
        return YOURS, _NO_MEMORY
    report = "Please report it with what the same command prints with --debug."
    return OURS, f"{fault} ({type(fault).__name__}: a fault of Ceasewatch, not yours). {report}"


def say(text: str) -> None:
    """Tell how the work goes on."""
    click.echo(text, err=True)


def show_progress() -> None:
    """Let the steps of plain runs be told on stderr."""
    logger = logging.getLogger("pipelines")
    if not any(isinstance(handler, _ToStderr) for handler in logger.handlers):
        logger.addHandler(_ToStderr())
        logger.setLevel(logging.INFO)


class _ToStderr(logging.Handler):
    """Prints what people want to know; the figures of each stage only where the program is looked into."""

    def emit(self, record: logging.LogRecord) -> None:
        context = click.get_current_context(silent=True)
        if not hasattr(record, "stage") or (context is not None and context.meta.get("debug")):
            say(record.getMessage())


def put(value: dict[str, Any]) -> None:
    """Print one JSON object, a line for each member, and for each element of those that are lists.

    An explanation can have tens of megabytes, for which Python's own way of writing JSON takes half a second.
    """
    members = (_json(name) + b": " + _value(each) for name, each in value.items())
    sys.stdout.write((b"{\n " + b",\n ".join(members) + b"\n}\n").decode())


def _value(value: object) -> bytes:
    if isinstance(value, list) and value:
        return b"[\n  " + b",\n  ".join(map(_json, value)) + b"\n ]"
    return _json(value)


def _json(value: object) -> bytes:
    import orjson  # noqa: PLC0415 -- so that help is quick

    return orjson.dumps(value, default=tuple, option=orjson.OPT_SERIALIZE_NUMPY)  # a named tuple is a list


def table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return rows as aligned columns; missing values are empty."""
    cells = [list(names), *(["" if value is None else str(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join(f"  {line}" for line in lines)


def incidents(found: Sequence[dict[str, Any]]) -> str:
    """Return a table of incidents, as ``Outcome.as_dict`` gives them."""
    names = ["incident", "tier", "peak", "state", "since", "next due", "where"]
    rows = [
        [
            row["incident_id"],
            _tier(row),
            row["tier_peak"],
            row["state"] + (f" ({row['end']})" if row["end"] else ""),
            row["t0_from"],
            f"{row['next_due']} {row['next_due_what']}" if row["next_due"] else None,
            row["name"],
        ]
        for row in found[:SHOWN]
    ]
    rest = len(found) - len(rows)
    more = f"\n  … and {rest:,} more, in the map and with --json" if rest else ""
    return table(names, rows) + more if rows else "  no incidents"


def answers(found: Sequence[dict[str, Any]]) -> str:
    """Return a table of commands with their answers, as ``Outcome.answers`` gives them; rejected ones first."""
    ordered = sorted(found, key=lambda row: row["answer"] != "rejected")
    rows = [[row["review_id"], row["command"], row["target"], row["answer"], row["why"]] for row in ordered[:SHOWN]]
    rest = len(found) - len(rows)
    more = f"\n  … and {rest:,} more, in the map and with --json" if rest else ""
    return table(["decision", "command", "target", "answer", "why"], rows) + more


def _tier(row: dict[str, Any]) -> str:
    eligible, effective = row["tier_eligible"], row["tier_effective"]
    return str(eligible) if eligible == effective else f"{eligible} (in effect: {effective})"
