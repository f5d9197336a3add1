"""`python -m varnn` is the command `varnn`."""

from varnn.cli.app import app

if __name__ == "__main__":
    app(prog_name="varnn")
