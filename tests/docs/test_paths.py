"""Each path in backticks on the pages for developers is that of a file or folder."""

import re

import pytest

from blocks import REPOSITORY
from test_links import FENCED

PATH = re.compile(r"`((?:[\w.*-]+/)+[\w.*-]*|[\w-]+\.(?:rs|py|sh|md|toml))`")
# The folders that a page's paths begin in, besides the root. ARCHITECTURE.md describes the crates.
PAGES = {
    "ARCHITECTURE.md": ["crates", "crates/*/src", "crates/*/src/*"],
    "CONTRIBUTING.md": [],
    "docs/glossary.md": [],
    "tests/README.md": [],
    "tests/interop/README.md": ["tests/interop"],
    "tests/attacks/README.md": ["tests/attacks"],
    "tests/docs/README.md": ["tests/docs"],
    "bench/README.md": ["bench", "bench/comparison"],
}
# What a build writes.
MADE = ("target/", "securecall-data/")


def paths(text: str) -> list[str]:
    return [path for path in PATH.findall(FENCED.sub("", text)) if not path.startswith(MADE)]


def exists(path: str, folders: list[str]) -> bool:
    return any(next(REPOSITORY.glob(f"{folder}/{path}".lstrip("/")), None) for folder in ["", *folders])


@pytest.mark.parametrize("page", PAGES)
def test_paths_lead_somewhere(page: str):
    text = (REPOSITORY / page).read_text()
    missing = [path for path in paths(text) if not exists(path, PAGES[page])]
    assert not missing, f"{page} names what is not there: {missing}"


def test_a_path_that_leads_nowhere_is_found():
    assert paths("see `server/src/gone.rs`, `lib.rs` and `target/debug/x`") == ["server/src/gone.rs", "lib.rs"]
    assert not exists("server/src/gone.rs", PAGES["ARCHITECTURE.md"])
