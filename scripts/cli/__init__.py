"""`tally`: the command line."""

from scripts.cli.application import app

__all__ = ["app"]
