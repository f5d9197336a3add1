"""`python -m varnn` is the command `varnn`."""

from varnn.cli import app

if __name__ == "__main__":
    app(prog_name="varnn")
