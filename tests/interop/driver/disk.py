"""A disk without room."""

from pathlib import Path


def fill(disk: Path) -> Path:
    """Writes a file until there is no room left. Gives the file."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return filler
