"""`python -m scripts.cli` is `tally`."""

from scripts.cli import app

if __name__ == "__main__":
    app(prog_name="tally")
