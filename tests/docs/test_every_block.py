"""Each block of each page is run, checked, or says why not; nobody has to remember a new one."""

import importlib
from pathlib import Path

import pytest

from blocks import REPOSITORY, TAKEN, Block, all_blocks, all_claims, blocks_of
from kinds import KINDS

BLOCKS = all_blocks()


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_the_block_is_claimed(block: Block):
    for module in Path(__file__).parent.glob("test_*.py"):
        importlib.import_module(module.stem)
    if block.why_not_run:
        assert len(block.why_not_run) >= 15, "say why, in a sentence"
    elif block.run_by:
        path, _, words = block.run_by.partition("::")
        assert (REPOSITORY / path).is_file(), f"{path} does not exist"
        assert words in (REPOSITORY / path).read_text(), f"{path} has no {words}"
    elif block.name:
        assert (block.page, block.name) in TAKEN, f"no test takes {block.name} of {block.page}"
    else:
        assert block.language in KINDS, f"nobody runs this block ({block.language or 'no language'}): tests/docs/README.md"


@pytest.mark.parametrize("block", [block for block in BLOCKS if not block.mark and block.language in KINDS], ids=str)
def test_the_block_does_what_its_page_says(block: Block, home_of):
    KINDS[block.language](block, home_of(block.page))


def test_no_test_takes_a_block_that_is_not_there():
    names = {(block.page, block.name) for block in BLOCKS}
    assert not TAKEN.keys() - names


def test_no_claim_is_left_of_a_block_that_is_gone():
    for claim in all_claims():
        assert any(block.page == claim["page"] and block.text.startswith(claim["begins"]) for block in BLOCKS), claim


def test_a_new_block_is_found_wherever_it_stands():
    page = "text\n\n1. item\n\n   ```sh\n   true\n   ```\n\n<!-- block: not run: it is an example -->\n```js\nx\n```\n"
    first, second = blocks_of("page.md", page, [])
    assert (first.language, first.text, first.mark, first.line) == ("sh", "true\n", "", 5)
    assert (second.language, second.why_not_run) == ("js", "it is an example")
