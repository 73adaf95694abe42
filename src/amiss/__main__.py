"""`python -m amiss` is `amiss`."""

from amiss.cli import entry

if __name__ == "__main__":
    entry()
