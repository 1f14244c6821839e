"""`tally seal`: a signed checkpoint of the log, now."""

from typing import Any

from scripts.cli.failure import Failure
from scripts.cli.options import DataOption, JsonOption


def seal(*, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Seal what was added to the log since the last checkpoint, and sign it.

    The service does it every few seconds (TALLYSTICK_SEAL_SECONDS). This is
    for a log without a service, and for one that was never sealed. It signs
    nothing if the log is no longer what was sealed before.

    \b
    Examples:
      tally seal
      tally seal --data ./data --json
    """
    from infra.archived_ranges import ArchiveDamaged
    from infra.database import open_database
    from infra.event_log import EventLog, LogGap
    from infra.leaf_chain import ChainBroken
    from infra.sealer import SealBroken, Sealer
    from infra.signing import BadKey
    from scripts.cli.preflight import require_ledger
    from scripts.cli.progress import progress_as_told
    from scripts.cli.settings import settings_from

    settings = settings_from(data=data)
    require_ledger(settings)
    database = open_database(settings)
    try:
        database.create_tables()
        log = EventLog(database)
        sealer = Sealer(settings, database, log)
        newest = sealer.sealed()
        begun, head = newest.size if newest else 0, log.head()
        done = 0
        with progress_as_told("seal") as tell:
            while sealed := sealer.seal():
                done += sealed
                tell(done, max(done, head - begun))
        newest = sealer.sealed()
    except (SealBroken, ChainBroken, LogGap, ArchiveDamaged) as broken:
        raise Failure(
            f"nothing was signed: {broken}", "`tally verify --proofs` says where it is wrong."
        ) from None
    except (BadKey, OSError) as wrong:
        raise Failure(str(wrong), "TALLYSTICK_SIGNING_KEY names the key's file.") from None
    finally:
        database.close()
    _show(None if newest is None else newest.told().model_dump(mode="json"), done, as_json)


def _show(checkpoint: dict[str, Any] | None, done: int, as_json: bool) -> None:
    from scripts.cli import screen

    if as_json:
        screen.write_json({"sealed": done, "checkpoint": checkpoint})
    elif checkpoint is None:
        screen.say("The log is empty.")
    else:
        screen.say(f"Sealed {screen.number(done)} events; the newest checkpoint:\n")
        screen.say(checkpoint["note"])
