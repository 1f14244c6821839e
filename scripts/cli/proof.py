"""`tally proof`: proofs to hand out, and to check."""

from pathlib import Path
from typing import Annotated, Any

import typer

from scripts.cli import options
from scripts.cli.failure import Failure
from scripts.cli.options import UrlOption

SizeOption = Annotated[
    int | None,
    typer.Option(
        min=1, show_default="the newest checkpoint", help="Of the checkpoint of that many events."
    ),
]
KeyOption = Annotated[
    Path, typer.Option("--public-key", metavar="FILE", help="The ledger's public key, in PEM.")
]
KeptOption = Annotated[
    Path | None,
    typer.Option("--checkpoint", metavar="FILE", help="One kept from before: the log must agree."),
]

proof = typer.Typer(
    no_args_is_help=True,
    help="Prove that an event is in the log, and that the log was only added to. Who checks that "
    "needs the proof and the public key, and no ledger.",
)


@proof.command()
def export(
    *,
    position: Annotated[int, typer.Argument(min=1, metavar="POSITION", help="Of the event.")],
    size: SizeOption = None,
    url: UrlOption = options.DEFAULT_URL,
) -> None:
    """Write the proof that the event at a position is in the log.

    It proves all of the event's stream before it, too. Who gets it needs
    `scripts/verify_proof.py` and the public key.

    \b
    Example:
      tally proof export 1234 > proof.json
    """
    _write(url, "/v1/proofs/inclusion", position=position, size=size)


@proof.command()
def consistency(
    *,
    old: Annotated[int, typer.Argument(min=1, metavar="FROM", help="Size of the older one.")],
    new: Annotated[
        int | None,
        typer.Argument(
            min=1, metavar="[TO]", show_default="the newest", help="Size of the newer one."
        ),
    ] = None,
    url: UrlOption = options.DEFAULT_URL,
) -> None:
    """Write the proof that between two checkpoints the log was only added to.

    \b
    Example:
      tally proof consistency 1000 > proof.json
    """
    _write(url, "/v1/proofs/consistency", **{"from": old, "to": new})


@proof.command()
def checkpoint(*, size: SizeOption = None, url: UrlOption = options.DEFAULT_URL) -> None:
    """Write a checkpoint as it is signed: keep it where the ledger's keeper has no hand.

    \b
    Example:
      tally proof checkpoint > kept.txt
    """
    _say(url, "/v1/proofs/checkpoint", "note", size=size)


@proof.command()
def key(*, url: UrlOption = options.DEFAULT_URL) -> None:
    """Write the service's public key in PEM: keep it where proofs are checked.

    \b
    Example:
      tally proof key > key.pem
    """
    _say(url, "/v1/proofs/key", "pem")


@proof.command()
def check(
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The proof.")],
    public_key: KeyOption,
    kept: KeptOption = None,
) -> None:
    """Check a proof. No service and no database is asked. Exit code 1 if it proves nothing.

    \b
    Examples:
      tally proof check proof.json --public-key key.pem
      tally proof check proof.json --public-key key.pem --checkpoint kept.txt
    """
    import json

    from scripts.cli import screen
    from scripts.verify_proof import BadProof
    from scripts.verify_proof import check as check_proof

    try:
        kept_note = None if kept is None else kept.read_text(encoding="utf-8")
        proven = check_proof(json.loads(file.read_bytes()), public_key.read_bytes(), kept_note)
    except (OSError, ValueError, BadProof) as wrong:
        raise Failure(f"not proven: {wrong}") from None
    screen.say(proven)


def _write(url: str, path: str, **params: int | None) -> None:
    from scripts.cli import screen

    screen.write_json(_told(url, path, **params))


def _say(url: str, path: str, field: str, **params: int | None) -> None:
    from scripts.cli import screen

    screen.say(_told(url, path, **params)[field].removesuffix("\n"))


def _told(url: str, path: str, **params: int | None) -> dict[str, Any]:
    from scripts.cli.client import ServiceClient

    with ServiceClient(url) as client:
        return client.get(path, **params)
