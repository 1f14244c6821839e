"""Runs a rebuild, or the follower, with small pages, so that a short log is many transactions.

    python -m tests.small_pages EVENTS rebuild NAME VERSION NUMBER
    python -m tests.small_pages EVENTS follow

It says so on its output once everything is imported and the work begins.
"""

import sys

from infra import build_pace, composition, projector
from infra.settings import Settings

BEGINS = "begins\n"


def main() -> None:
    events, work, *which = sys.argv[1:]
    build_pace.PAGE = build_pace.SMALL_PAGE = projector.PAGE = int(events)
    from infra import rebuild  # It takes over the size of a page as it is imported.

    sys.stdout.write(BEGINS)
    sys.stdout.flush()
    if work == "rebuild":
        sys.argv[1:] = which
        rebuild.main()
    else:
        composition.run_projector(Settings(), lambda _: None)


if __name__ == "__main__":
    main()
