"""Where things are."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET_DIR = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
RELEASE = TARGET_DIR / "release"
INSTALLED = TARGET_DIR / "bench"
"""What is installed to be measured, and stays for the next run."""
BENCH = ROOT / "bench"
NODE = BENCH / "node"
PERFORMANCE_MD = ROOT / "docs" / "performance.md"

SECURECALL = RELEASE / "securecall"
EPOLL_RELAY = RELEASE / "securecall-epoll-relay"
MATCHBOX_SERVER = INSTALLED / "bin" / "matchbox_server"
