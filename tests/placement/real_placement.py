"""Serves the installed Placement itself, in the place of Tallystick, to hold the suites to it.

    python -m tests.placement.real_placement --placement-port PORT --data FOLDER

It is started and configured as `tally serve` is, so a suite does not know whom it asks. The
database is a new SQLite file in the folder.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from placement import policies

CONFIGURATION = """
[api]
auth_strategy = noauth2
[placement_database]
connection = sqlite:///{folder}/placement.sqlite
sync_on_startup = True
[oslo_policy]
policy_file = {folder}/policy.yaml
enforce_new_defaults = {enforces_new_defaults}
[cors]
allow_headers = openstack-api-version
"""


def configure(folder: Path) -> None:
    policy = os.environ.get("TALLYSTICK_PLACEMENT_POLICY", "legacy")
    text = CONFIGURATION.format(folder=folder, enforces_new_defaults=policy == "secure")
    if origins := os.environ.get("TALLYSTICK_PLACEMENT_CORS_ORIGINS"):
        text += f"allowed_origin = {origins}\n"
    (folder / "placement.conf").write_text(text, encoding="utf-8")
    routes = [rule.name for rule in policies.list_rules() if rule.name.startswith("placement:")]
    allowed = routes if policy == "everyone" else []
    rules = "".join(f'"{route}": "@"\n' for route in allowed)
    (folder / "policy.yaml").write_text(rules or "{}\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--placement-port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True)
    given = parser.parse_args()
    configure(given.data)
    os.environ["OS_PLACEMENT_CONFIG_DIR"] = str(given.data)
    server = Path(sys.executable).parent / "gunicorn"
    options = ["--bind", f"127.0.0.1:{given.placement_port}", "--log-level", "warning"]
    options += ["--no-control-socket"]
    os.execv(server, [str(server), *options, "placement.wsgi.api:application"])  # noqa: S606


if __name__ == "__main__":
    main()
