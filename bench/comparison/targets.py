"""The servers that are measured: how each is built and started.

All of them get what they need for this load and nothing else. Limits are raised, never switched
off, and only those that the load would meet.
"""

import json
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Callable

from . import places

MATCHBOX_VERSION = "0.15.0"


class Absent(Exception):
    """A server cannot be measured here; the text says why."""


@dataclass(frozen=True)
class Target:
    """A server to be measured."""

    name: str
    what: str
    dialect: str
    """As `securecall load --dialect` calls it."""
    path: str
    """Of its WebSocket URL."""
    build: Callable[[bool], str]
    """Builds or installs it and returns its version; with True, only what takes seconds."""
    arguments: Callable[[int, Path], list[str]]
    """How it is started on this port, with a folder of its own."""
    environment: dict[str, str] = field(default_factory=dict)
    scheme: str = "ws"
    """Of its WebSocket URL."""


def run(*command: object, cwd: Path = places.ROOT) -> str:
    """Runs a build step and returns what it printed; its complaints are shown when it fails."""
    arguments = [str(argument) for argument in command]
    try:
        done = subprocess.run(
            arguments, cwd=cwd, check=True, text=True, capture_output=True, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError as error:
        raise Absent(f"{arguments[0]} is not installed") from error
    except subprocess.CalledProcessError as error:
        print(error.stderr.strip(), file=sys.stderr)
        raise Absent(f"`{' '.join(arguments[:3])} …` failed") from error
    return done.stdout.strip()


def build_securecall(quick: bool) -> str:
    run("cargo", "build", "--locked", "--profile", "dist", "-p", "securecall-cli", "--all-features")
    return commit()


def build_epoll_relay(quick: bool) -> str:
    run("cargo", "build", "--locked", "--profile", "dist", "-p", "securecall-epoll-relay")
    return commit()


def commit() -> str:
    try:
        return run("git", "describe", "--always", "--dirty", "--abbrev=10")
    except Absent:
        return "not from git"


def build_node(package: str) -> Callable[[bool], str]:
    def build(quick: bool) -> str:
        node = run("node", "--version")
        if not (places.NODE / "node_modules" / package).exists():
            run("npm", "ci", "--omit=dev", "--no-audit", "--no-fund", cwd=places.NODE)
        manifest = places.NODE / "node_modules" / package / "package.json"
        return f"{json.loads(manifest.read_text())['version']}, Node {node}"

    return build


def build_matchbox(quick: bool) -> str:
    record = places.INSTALLED / ".crates.toml"
    wanted = f'"matchbox_server {MATCHBOX_VERSION} '
    if not (record.exists() and wanted in record.read_text()):
        if quick:
            raise Absent("not installed, and --quick does not compile it")
        # Cargo's own build folder is not kept: this is done once.
        run("cargo", "install", "--locked", "--root", places.INSTALLED,
            "--version", MATCHBOX_VERSION, "matchbox_server")
    return MATCHBOX_VERSION


SECURECALL = Target(
    name="securecall",
    what="our server, every check on",
    dialect="securecall",
    path="/signal",
    build=build_securecall,
    arguments=lambda port, folder: [
        str(places.SECURECALL), "serve",
        "--listen", f"127.0.0.1:{port}",
        "--data-dir", str(folder / "data"),
        "--log", "warn",
        # The generator's clients come from many addresses, but talk faster than people.
        "--candidates-rate", "1000000/1000000",
    ],
)


def tls_arguments(port: int, folder: Path) -> list[str]:
    """With a certificate that the server itself has signed; the generator trusts anybody."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-keyout", key, "-out", certificate, "-days", "1", "-subj", "/CN=localhost",
        "-addext", "subjectAltName=IP:127.0.0.1")
    certified = ["--tls-certificate", str(certificate), "--tls-key", str(key)]
    return SECURECALL.arguments(port, folder) + certified


SECURECALL_TLS = replace(
    SECURECALL, what="our server over TLS", arguments=tls_arguments, scheme="wss"
)

EPOLL_RELAY = Target(
    name="epoll-relay",
    what="bare epoll relay: framing, no parsing; the limit",
    dialect="plain",
    path="/",
    build=build_epoll_relay,
    arguments=lambda port, folder: [str(places.EPOLL_RELAY), str(port)],
)

WS_RELAY = Target(
    name="ws-relay",
    what="minimal relay on Node's `ws`",
    dialect="plain",
    path="/",
    build=build_node("ws"),
    arguments=lambda port, folder: ["node", str(places.NODE / "ws-relay.mjs"), str(port)],
)

PEERJS = Target(
    name="peerjs",
    what="PeerJS server (npm `peer`)",
    dialect="peerjs",
    path="/peerjs",
    build=build_node("peer"),
    arguments=lambda port, folder: [
        "node", str(places.NODE / "node_modules" / "peer" / "dist" / "bin" / "peerjs.js"),
        "--host", "127.0.0.1",
        "--port", str(port),
        "--concurrent_limit", "20000",
    ],
)

MATCHBOX = Target(
    name="matchbox",
    what="`matchbox_server` (cargo)",
    dialect="matchbox",
    path="/",
    build=build_matchbox,
    arguments=lambda port, folder: [str(places.MATCHBOX_SERVER), f"127.0.0.1:{port}"],
    # It is pinned to one core, and logs every message otherwise.
    environment={"TOKIO_WORKER_THREADS": "1", "RUST_LOG": "error"},
)

ALL = (SECURECALL, EPOLL_RELAY, WS_RELAY, PEERJS, MATCHBOX)


def build_all(targets: tuple[Target, ...], quick: bool) -> tuple[dict[str, str], dict[str, str]]:
    """Builds what can be built. Returns the versions, and the reasons of those that are absent."""
    versions: dict[str, str] = {}
    absent: dict[str, str] = {}
    for target in targets:
        print(f"building {target.name} …", flush=True)
        try:
            versions[target.name] = target.build(quick)
        except Absent as reason:
            absent[target.name] = str(reason)
            print(f"  absent: {reason}", flush=True)
    return versions, absent
