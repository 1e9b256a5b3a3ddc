"""The door for recordings: `comptoir map NETWORK FILE` prints the mentions that a saved answer of a vendor holds.

Nothing is stored and nobody is asked: for support, and for tests on recordings. What an answer means is in the network's own
module (`map_answer`, or `map_document` where answers are no JSON); here files are cut into bodies and mentions are printed.
"""

import gzip
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

import collectors
from cli_base import JsonFlag, command, err
from domain.contracts import Mapped, Reject
from domain.errors import ComptoirError, InputError
from domain.mention import Mention

MAX_BYTES = 300 * 2**20  # of a file that is read whole
_SHOWN = 2_000  # characters of an item that is told


def register(app: typer.Typer) -> None:
    """Add the command of this module to the `comptoir` command."""
    app.command("map")(map_file)


def map_file(
    network: Annotated[
        str, typer.Argument(help="Whose answer it is: x, facebook, instagram, mastodon, bluesky, feed…")
    ],
    file: Annotated[
        Path,
        typer.Argument(help="One JSON body, JSON lines of bodies, or a feed; .gz too; - for stdin.", allow_dash=True),
    ],
    raw: Annotated[bool, typer.Option("--raw", help="Also print what the vendor sent for each mention.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Print the mentions in a saved answer of a vendor, a JSON line each; what cannot be mapped is listed on stderr."""
    with command(as_json) as outcome:
        counts = {"mentions": 0, "rejected": 0, "deleted": 0}
        for position, mapped in read(network, file):
            for mention in mapped.mentions:
                sys.stdout.write(json.dumps(printable(mention, raw=raw), ensure_ascii=False, default=str) + "\n")
            for reject in mapped.rejects:
                err.print(escape(f"rejected: {position}{reject.position}: {reject.reason}"), soft_wrap=True)
            for gone in mapped.deleted:
                err.print(escape(f"deleted: {gone}"), soft_wrap=True)
            for note in mapped.notes:
                err.print(escape(f"· {note}"), soft_wrap=True)
            counts["mentions"] += len(mapped.mentions)
            counts["rejected"] += len(mapped.rejects)
            counts["deleted"] += len(mapped.deleted)
        outcome.values = counts
        err.print(", ".join(f"{count:,} {name}" for name, count in counts.items()))


def read(network: str, file: Path) -> Iterator[tuple[str, Mapped]]:
    """What each body of the file holds, with the body's place before it where there are several.

    Raises:
        ConfigurationError: the network is unknown, or its answers cannot be mapped from a file.
        InputError: the file cannot be read.
    """
    understand, is_json = collectors.mapper(network)
    data = _bytes(file)
    if not is_json:
        yield "", _mapped(understand, data)
        return
    for position, body in bodies(data):
        yield position, body if isinstance(body, Mapped) else _mapped(understand, body)


def bodies(data: bytes) -> Iterator[tuple[str, Any]]:
    """The JSON bodies of a file: one, or one a line; a line that is none is a reject, not the end."""
    text = data.decode("utf-8-sig", "replace")
    if not text.strip():
        raise InputError("The file is empty. Give a saved answer: one JSON body, or one a line.")
    whole = _json(text)
    if not isinstance(whole, Mapped):
        yield "", whole
        return
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    for number, line in lines:
        yield (f"line {number}, " if len(lines) > 1 else ""), _json(line)


def printable(mention: Mention, *, raw: bool = False) -> dict[str, Any]:
    """A mention as JSON can hold it; `id` first, what the vendor sent only on demand."""
    values = asdict(mention)
    values["created_at"] = mention.created_at.isoformat()
    if not raw:
        values.pop("raw")
    return {"id": mention.id, **values}


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else type(error).__name__
        return Mapped(rejects=(Reject("body", f"no JSON ({reason})", text[:_SHOWN]),))


def _mapped(understand: Callable[[Any], Mapped], body: Any) -> Mapped:
    try:
        return understand(body)
    except ComptoirError as error:
        return Mapped(rejects=(Reject("body", str(error), str(body)[:_SHOWN]),))
    except Exception as error:  # noqa: BLE001 - a recording of anybody's: what breaks a mapper is listed, the rest goes on
        reason = f"a fault of Comptoir's own ({type(error).__name__}: {error}); please report it"
        return Mapped(rejects=(Reject("body", reason, str(body)[:_SHOWN]),))


def _bytes(file: Path) -> bytes:
    try:
        if str(file) == "-":
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as handle:
                data = handle.read(MAX_BYTES + 1)
    except (OSError, EOFError) as error:
        raise InputError(f"{file} cannot be read ({error}).") from error
    if len(data) > MAX_BYTES:
        raise InputError(f"{file} is larger than {MAX_BYTES // 2**20} MB. Cut it: one JSON body a line.")
    return data
