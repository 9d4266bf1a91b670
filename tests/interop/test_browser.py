"""Chromium as a client: page to page, and page to aiortc in both directions."""

import asyncio
import json

from driver import node
from driver.webrtc import PAYLOAD_BYTES, Peer


def test_two_pages_open_a_data_channel(server):
    paths = json.loads(node.run("browser.mjs", server.url, "alice:calls:bob", "bob:answers"))
    assert len(paths) == 2


async def page(url: str, *peer: str) -> asyncio.subprocess.Process:
    """A Chromium page, registered; its process prints the result once the call is over."""
    process = await asyncio.create_subprocess_exec(
        "node", "browser.mjs", url, *peer, cwd=node.FOLDER,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )
    while (line := await process.stderr.readline()) != b"all pages are registered\n":
        assert line, "the page did not register"
    return process


async def page_answers(url: str) -> int:
    async with Peer(url, "alice") as alice:
        process = await page(url, "bob:answers")
        transfer = await alice.call("bob")
        await alice.hang_up()
        assert await process.wait() == 0
        return len(transfer.received)


async def page_calls(url: str) -> int:
    async with Peer(url, "bob") as bob:
        answering = asyncio.create_task(bob.answer())
        process = await page(url, "alice:calls:bob")
        transfer = await answering
        await bob.wait_for_the_end()
        assert await process.wait() == 0
        return len(transfer.received)


def test_aiortc_calls_a_page(server):
    assert asyncio.run(asyncio.wait_for(page_answers(server.url), 50)) == PAYLOAD_BYTES


def test_a_page_calls_aiortc(server):
    assert asyncio.run(asyncio.wait_for(page_calls(server.url), 50)) == PAYLOAD_BYTES
