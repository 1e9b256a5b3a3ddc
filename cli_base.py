"""What all commands share: how one ends, where it speaks, and the `--json` flag.

Commands themselves live in cli.py and in the cli_*.py modules that it registers. Nothing here may cost time to import:
`comptoir tag` answers within three seconds of being called.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from domain.errors import ComptoirError

err = Console(stderr=True)
JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line of stdout.")]


@dataclass
class Outcome:
    """What a command wants printed, and whether a person must act."""

    values: dict[str, Any]
    must_act: list[str]


@contextmanager
def command(as_json: bool) -> Iterator[Outcome]:
    """One way to end for all commands: errors in words, never a traceback for what a person can mend."""
    outcome = Outcome({}, [])
    try:
        yield outcome
    except ComptoirError as error:
        outcome.values["error"] = str(error)
        outcome.must_act.append(str(error))
    except KeyboardInterrupt:
        err.print("Stopped. Nothing was lost; start again to go on.")
        raise typer.Exit(0) from None
    if as_json:
        sys.stdout.write(json.dumps(outcome.values, ensure_ascii=False) + "\n")
    for line in outcome.must_act:
        err.print(f"[bold]![/bold] {escape(line)}")
    if outcome.must_act:
        raise typer.Exit(1)
