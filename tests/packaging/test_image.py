"""The container image: its root file system, laid out as packaging/Containerfile says, and the server run in it."""

import os
import re
import shutil
import stat
import subprocess
import sys
import time
from fnmatch import fnmatch
from pathlib import Path

import certificate
import name_server
from conftest import PACKAGING
from container import DOCKER_STOP_SECONDS
from containerfile import CONTAINERFILE, stages
from driver.client import Client, accept, ring
from driver.frames import RawSocket
from driver.server import REPOSITORY, request

HADOLINT = Path(sys.executable).parent / "hadolint"
AUTHORITIES = "etc/ssl/certs/ca-certificates.crt"


def test_the_linter_finds_nothing():
    done = subprocess.run([HADOLINT, "--failure-threshold=style", CONTAINERFILE], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_it_says_what_a_platform_wants_to_know():
    final = stages()[-1]
    assert final.base == "scratch"
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", final.one("USER")), "Kubernetes checks runAsNonRoot by the number"
    assert final.one("EXPOSE") == "8080" and final.one("VOLUME") == "/data" and final.one("STOPSIGNAL") == "SIGTERM"
    options, command = final.health_check()
    assert command[-1] == "health" and command[0] == final.command("ENTRYPOINT")[0]
    # `securecall health` gives up by itself after 5 s.
    assert int(options["timeout"].removesuffix("s")) > 5


def test_what_the_build_copies_is_enough_for_it(tmp_path):
    """The context without what .dockerignore leaves out: its workspace is whole, and the commands of the build are there."""
    nothing, *kept = [line for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line[:1] in ("!", "*")]
    assert nothing == "*" and kept.pop() == "**/target"
    patterns = [pattern.removeprefix("!") for pattern in kept]
    tracked = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=REPOSITORY, check=True,
                             capture_output=True, text=True).stdout
    for name in tracked.splitlines():
        path = Path(name)
        if any(fnmatch(str(parent), pattern) for parent in (path, *path.parents) for pattern in patterns):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / path, tmp_path / path)
    done = subprocess.run([tmp_path / "packaging/sbom"], check=True, capture_output=True, text=True)
    assert '"securecall-server"' in done.stdout
    for command in ("build", "image-root", "stage", "notices"):
        assert os.access(tmp_path / "packaging" / command, os.X_OK)
    for licence in ("LICENSE-MIT", "LICENSE-APACHE"):
        assert (tmp_path / licence).exists()
    assert not (tmp_path / "tests").exists()


def test_it_holds_what_the_server_needs_and_nothing_else(image):
    files = {str(path.relative_to(image)) for path in image.rglob("*") if path.is_file()}
    doc = "usr/share/doc/securecall"
    runtimes_own = {"etc/hosts", "etc/resolv.conf"}
    assert files - runtimes_own == {
        "usr/bin/securecall", AUTHORITIES, "etc/nsswitch.conf", f"{doc}/LICENSE-MIT", f"{doc}/LICENSE-APACHE",
        f"{doc}/THIRD-PARTY-LICENCES.txt", f"{doc}/securecall.cdx.json",
    }
    data = (image / "data").stat()
    assert (data.st_uid, stat.S_IMODE(data.st_mode)) == (65532, 0o700)
    writable = [path for path in image.rglob("*") if path.stat().st_mode & 0o022 and path.name != "tmp"]
    assert not writable


def test_a_binary_that_needs_a_loader_is_refused(tmp_path):
    done = subprocess.run([PACKAGING / "image-root", "/bin/true", tmp_path], capture_output=True, text=True)
    assert done.returncode == 1 and "--static" in done.stderr


def test_it_becomes_healthy_carries_a_call_and_stops_in_time(container):
    running = container()
    assert running.is_healthy()
    assert " WARN " not in running.said()
    with running.network():
        url = "ws://127.0.0.1:8080/signal"
        alice, bob = Client(url, "alice"), Client(url, "bob")
        # One that never answers the close: it costs the most time.
        stubborn = RawSocket(8080)
        stubborn.register("stubborn")
        call_id = ring(alice, bob)
        accept(alice, bob, call_id)
        began = time.monotonic()
        running.send("SIGTERM")
        alice.expect_close(1012)
        bob.expect_close(1012)
    assert running.server.wait(DOCKER_STOP_SECONDS) == 0
    assert time.monotonic() - began < DOCKER_STOP_SECONDS
    assert not running.is_healthy()
    assert {path.name for path in running.volume.iterdir()} >= {"server.key", "directory.redb"}


def test_the_health_check_follows_the_port_of_the_platform(container):
    running = container(PORT="9123")
    assert "0.0.0.0:9123" in running.said() and running.is_healthy()
    with running.network():
        assert request(9123, "/health")[0].status == 200


def test_it_runs_as_nobody_in_particular(container):
    running = container()
    [pid] = running.pids_of("/usr/bin/securecall")
    status = Path(f"/proc/{pid}/status").read_text()
    assert re.search(r"^Uid:\s+65532\s+65532\s+65532\s+65532$", status, re.MULTILINE)
    assert re.search(r"^CapEff:\s+0+$", status, re.MULTILINE)
    assert not (running.mount_point / "bin").exists()


def test_names_are_resolved_without_a_library_to_load(container):
    running = container()
    with running.network(), name_server.answering("127.0.0.1"):
        assert running.ask("/usr/bin/securecall", "health", "http://call.example.org:8080/health").returncode == 0
    done = running.ask("/usr/bin/securecall", "health", "http://call.example.org:8080/health")
    assert done.returncode == 1 and "lookup" in done.stderr


def test_the_authorities_of_the_image_are_the_ones_trusted(container, image, tmp_path):
    """An authority of ours among them makes a certificate good; without it the same one is refused."""
    authority = certificate.make(tmp_path, "call.example.org")
    ours = tmp_path / "image"
    shutil.copytree(image, ours, symlinks=True)
    shutil.chown(ours / "data", 65532, 65532)
    with (ours / AUTHORITIES).open("a") as bundle:
        bundle.write(authority.read_text())
    for root, code in ((ours, 0), (image, 1)):
        running = container(root=root, PORT="8443")
        running.stop_server()
        for name in ("chain.pem", "key.pem"):
            shutil.copy(tmp_path / name, running.volume)
            os.chown(running.volume / name, 65532, 65532)
        running.start("--tls-certificate", "/data/chain.pem", "--tls-key", "/data/key.pem")
        with running.network(), name_server.answering("127.0.0.1"):
            done = running.ask("/usr/bin/securecall", "health", "https://call.example.org:8443/health")
        assert done.returncode == code, done.stderr
    assert "certificate" in done.stderr
