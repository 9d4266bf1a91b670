"""Each relative link of each page leads to a file, and its #anchor to a heading there."""

import re

import pytest

from blocks import REPOSITORY, pages

LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    """As GitHub makes them of headings; the second of two alike ends with -1."""
    found: dict[str, int] = {}
    for heading in re.findall(r"^#+ (.+)$", FENCED.sub("", text), re.MULTILINE):
        words = re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", heading).strip().lower()
        anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        found[anchor] = found.get(anchor, 0) + 1
    return {name if n == 0 else f"{name}-{n}" for name, count in found.items() for n in range(count)}


@pytest.mark.parametrize("page", pages())
def test_links_lead_somewhere(page: str):
    text = (REPOSITORY / page).read_text()
    for link in LINK.findall(FENCED.sub("", text)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = ((REPOSITORY / page).parent / path if path else REPOSITORY / page).resolve()
        assert target.exists(), f"{page}: {link} leads nowhere"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target.read_text()), f"{page}: {link} has no such heading"
