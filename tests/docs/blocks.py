"""The fenced blocks of the repository's pages, and what each page or claims.toml says about how a block is tested."""

import re
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[\w-]*)(?P<flags>\S*) *$")
MARK = re.compile(r"^ *<!-- (?:block: (?P<mark>.+)|(?P<verdict>(?:not run: |run by ).+)) -->$")


@dataclass(frozen=True)
class Block:
    """One fenced block. `mark` is the comment above its fence, or its entry in claims.toml; "" if it has neither."""

    page: str
    line: int
    language: str
    flags: str
    text: str
    mark: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def why_not_run(self) -> str | None:
        return self.mark.removeprefix("not run: ") if self.mark.startswith("not run: ") else None

    @property
    def run_by(self) -> str | None:
        """A test outside of this folder: PATH, or PATH::WORDS that stand in that file."""
        return self.mark.removeprefix("run by ") if self.mark.startswith("run by ") else None

    @property
    def name(self) -> str | None:
        """The name by which a test in this folder takes the block."""
        return None if self.why_not_run or self.run_by else self.mark or None


def pages() -> list[str]:
    """Every page that is in the repository or about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=REPOSITORY, check=True, capture_output=True, text=True,
    )
    return sorted(page for page in listed.stdout.split() if (REPOSITORY / page).exists())


def blocks_of(page: str, text: str, claims: list[dict]) -> list[Block]:
    """The blocks of a page in their order."""
    found, lines, at = [], text.split("\n"), 0
    while at < len(lines):
        fence = FENCE.match(lines[at])
        if not fence:
            at += 1
            continue
        end = next(line for line in range(at + 1, len(lines)) if lines[line].strip() == "```")
        inside = "\n".join(line.removeprefix(fence["indent"]) for line in lines[at + 1:end]) + "\n"
        above = MARK.match(lines[at - 1]) if at else None
        mark = above["mark"] or above["verdict"] if above else claimed(page, inside, claims)
        found.append(Block(page, at + 1, fence["language"], fence["flags"], inside, mark))
        at = end + 1
    return found


def claimed(page: str, text: str, claims: list[dict]) -> str:
    for claim in claims:
        if claim["page"] == page and text.startswith(claim["begins"]):
            return claim["block"]
    return ""


def all_claims() -> list[dict]:
    return tomllib.loads((Path(__file__).parent / "claims.toml").read_text()).get("claim", [])


def all_blocks() -> list[Block]:
    claims = all_claims()
    return [block for page in pages() for block in blocks_of(page, (REPOSITORY / page).read_text(), claims)]


TAKEN: dict[tuple[str, str], str] = {}


def takes(page: str, *names: str):
    """Marks a test that runs these named blocks of a page."""
    def mark(test):
        for name in names:
            assert (page, name) not in TAKEN, f"{page}, {name}: two tests take it"
            TAKEN[page, name] = test.__name__
        return test
    return mark


def block(page: str, name: str) -> Block:
    """The one block of a page that has this name."""
    [found] = [block for block in all_blocks() if block.page == page and block.name == name]
    return found
