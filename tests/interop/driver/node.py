"""Runs the programs in node/ with the packages that `npm ci` put there."""

import os
import subprocess
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "node"


def run(*arguments: str, timeout: float = 50, **environment: str) -> str:
    """What the program printed; a failure shows everything it said."""
    done = subprocess.run(
        ["node", *arguments], cwd=FOLDER, env={**os.environ, "NO_COLOR": "1", **environment},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=timeout,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
