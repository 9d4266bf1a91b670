"""Runs the programs in node/ with the packages that `npm ci` put there."""

import os
import subprocess
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "node"


def command(*arguments: str) -> dict:
    """Arguments for `subprocess.Popen` or `run`; the program finds its packages and files by its own place."""
    return {"args": ["node", *arguments], "cwd": FOLDER, "text": True, "env": {**os.environ, "NO_COLOR": "1"}}


def run(*arguments: str, timeout: float = 50) -> str:
    """What the program printed; a failure shows everything it said."""
    done = subprocess.run(**command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
