"""Attacks on a real `securecall serve` process, at its default limits. See README.md."""

from driver.fixtures import serve, server  # noqa: F401
