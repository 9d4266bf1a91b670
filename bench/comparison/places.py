"""Where things are."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET_DIR = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
DIST = TARGET_DIR / "dist"
"""What packages are made of."""
INSTALLED = TARGET_DIR / "bench"
"""What is installed to be measured, and stays for the next run."""
BENCH = ROOT / "bench"
NODE = BENCH / "node"
PERFORMANCE_MD = ROOT / "docs" / "performance.md"

SECURECALL = DIST / "securecall"
EPOLL_RELAY = DIST / "securecall-epoll-relay"
MATCHBOX_SERVER = INSTALLED / "bin" / "matchbox_server"
