"""The Debian package: built, installed, started, reloaded, upgraded, removed and purged, under a systemd of its own."""

import os
import re
import subprocess
from itertools import chain

import pytest

import certificate
from conftest import PACKAGING
from driver.client import Client, accept, establish, ring
from driver.frames import RawSocket
from driver.server import binary, eventually
from machine import ADMIN_PORT, Machine

UNIT = PACKAGING / "systemd/securecall.service"
LOW_PORTS = PACKAGING / "systemd/low-ports.conf"
SETTINGS = "/etc/securecall/securecall.toml"
DROP_IN = "/etc/systemd/system/securecall.service.d/test.conf"
EXPOSURE_MAX = 1.5


@pytest.fixture(scope="module")
def newer_package(package, tmp_path_factory):
    """The same under the next version."""
    folder = tmp_path_factory.mktemp("newer")
    subprocess.run(["dpkg-deb", "--raw-extract", package, folder / "root"], check=True)
    control = folder / "root/DEBIAN/control"
    control.write_text(control.read_text().replace("Version: 1.0.0\n", "Version: 1.0.1\n"))
    newer = folder / "securecall_1.0.1.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "--build", folder / "root", newer], check=True)
    return newer


@pytest.fixture(scope="module")
def looked_at(package, tmp_path_factory):
    """A machine with the package, of which tests change nothing."""
    machine = Machine(tmp_path_factory.mktemp("looked-at"))
    machine.install(package)
    yield machine
    machine.stop()


@pytest.fixture
def machine(tmp_path):
    machine = Machine(tmp_path)
    yield machine
    machine.stop()


@pytest.fixture
def installed(machine, package):
    machine.install(package)
    return machine


def test_it_starts_when_it_is_installed_and_carries_a_call(machine, package):
    said = machine.install(package)
    assert "Could not execute" not in said and "warning" not in said, said
    assert machine.unit("ActiveState", "UnitFileState", "NRestarts") == ["active", "enabled", "0"]
    assert "ok" in machine.run("securecall", "health").stdout
    with machine.network(), Client(machine.url, "alice") as alice, Client(machine.url, "bob") as bob:
        call_id = establish(alice, bob)
        alice.send("CALL_END", callId=call_id)
        bob.expect("CALL_ENDED", callId=call_id)
        alice.send("PKD_REGISTER", clientId="alice", publicKey="key")
        alice.expect("PKD_RESULT", publicKey="key")
    # The settings file is found, and the commands of an operator find the folder by it.
    assert f"settings in {SETTINGS}" in machine.journal()
    assert '"key"' in machine.run("securecall", "directory", "export", "-").stdout
    assert " WARN " not in machine.journal() and " ERROR " not in machine.journal()


def test_what_it_installs_is_whole(looked_at):
    assert looked_at.run("dpkg", "--verify", "securecall").stdout == ""
    assert looked_at.run("man", "-w", "securecall", "securecall-serve").stdout.count("man1") == 2
    for completion in ("bash-completion/completions/securecall", "zsh/vendor-completions/_securecall",
                       "fish/vendor_completions.d/securecall.fish"):
        assert "check-config" in looked_at.run("cat", f"/usr/share/{completion}").stdout
    for document in ("copyright", "LICENSE-MIT", "THIRD-PARTY-LICENCES.txt", "securecall.cdx.json"):
        assert looked_at.run("test", "-s", f"/usr/share/doc/securecall/{document}")
    # A complete sample: every setting is there, and it is what the server runs with.
    assert "ring_timeout" in looked_at.run("cat", SETTINGS).stdout
    looked_at.run("securecall", "check-config")


def test_it_runs_as_a_user_of_its_own_without_rights(looked_at):
    [pid] = looked_at.unit("MainPID")
    status = dict(line.split(":\t", 1) for line in looked_at.run("cat", f"/proc/{pid}/status").stdout.splitlines()
                  if ":\t" in line)
    user = looked_at.run("id", "-u", "securecall").stdout.strip()
    assert set(status["Uid"].split()) == {user} and user != "0"
    assert all(int(status[capabilities], 16) == 0 for capabilities in ("CapEff", "CapPrm", "CapBnd", "CapAmb"))
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2", "the filter of system calls is not in force"
    folder = looked_at.run("stat", "--format=%U %a", "/var/lib/securecall").stdout.split()
    assert folder == ["securecall", "700"]


def test_no_metric_is_lost_in_the_sandbox(installed, server):
    installed.replace(SETTINGS, '#listen = "127.0.0.1:9090"', 'listen = "127.0.0.1:9090"')
    installed.systemctl("restart", "securecall")
    with installed.network(), Client(installed.url, "alice"):
        sandboxed = metric_names(installed.http("/metrics", ADMIN_PORT)[1].decode())
        assert installed.http("/livez", ADMIN_PORT)[0].status == 200
        assert installed.http("/readyz", ADMIN_PORT)[0].status == 200
    assert sandboxed == set(server.metrics())


def metric_names(page: str) -> set[str]:
    return set(re.findall(r"^(\w+)(?:\{.*\})? ", page, re.MULTILINE))


def test_reload_keeps_process_and_calls(installed):
    [pid] = installed.unit("MainPID")
    with installed.network(), Client(installed.url, "alice") as alice, Client(installed.url, "bob") as bob:
        call_id = ring(alice, bob)
        installed.systemctl("reload", "securecall")
        assert eventually(lambda: "SIGHUP" in installed.journal(), 3)
        accept(alice, bob, call_id)
    assert installed.unit("MainPID") == [pid]


def test_an_upgrade_drains_and_keeps_calls_keys_and_settings(installed, newer_package):
    installed.replace(SETTINGS, '#ring_timeout = "1m"', 'ring_timeout = "2m"')
    [pid] = installed.unit("MainPID")
    with installed.network():
        alice, bob = Client(installed.url, "alice"), Client(installed.url, "bob")
        alice.send("PKD_REGISTER", clientId="alice", publicKey="key")
        alice.expect("PKD_RESULT", publicKey="key")
        call_id = ring(alice, bob)
        installed.install(newer_package)
        alice.expect_close(1012)
        bob.expect_close(1012)
        assert installed.unit("ActiveState", "Result") == ["active", "success"]
        assert installed.unit("MainPID") != [pid]
        with Client(installed.url, "alice") as alice, Client(installed.url, "bob") as bob:
            accept(alice, bob, call_id)
            bob.send("PKD_LOOKUP", clientId="alice")
            bob.expect("PKD_RESULT", publicKey="key")
    assert 'ring_timeout = "2m"' in installed.run("cat", SETTINGS).stdout
    version = installed.run("dpkg-query", "--show", "--showformat=${Version}", "securecall").stdout
    assert version == "1.0.1"


def test_what_an_operator_disabled_stays_disabled_after_an_upgrade(installed, newer_package):
    installed.systemctl("disable", "--now", "securecall")
    installed.install(newer_package)
    assert installed.unit("ActiveState", "UnitFileState") == ["inactive", "disabled"]


def test_systemd_waits_as_long_as_the_drain_is_set_to(installed):
    # Shorter than the drain: the server has to ask for more.
    installed.write(DROP_IN, "[Service]\nTimeoutStopSec=1\n")
    installed.replace(SETTINGS, '#period = "4s"', 'period = "0s"')
    installed.replace(SETTINGS, '#timeout = "9s"', 'timeout = "3s"')
    installed.systemctl("daemon-reload")
    installed.systemctl("restart", "securecall")
    with installed.network():
        stubborn = RawSocket(8080)
        stubborn.register("stubborn")
        installed.systemctl("stop", "securecall")
    assert installed.unit("Result") == ["success"]
    assert "serve: stopped" in installed.journal()


def test_a_wrong_setting_is_named_and_not_tried_again(installed):
    installed.replace(SETTINGS, '#ring_timeout = "1m"', 'ring_timeout = "never"')
    assert "failed" in installed.systemctl("restart", "securecall", check=False)
    assert eventually(lambda: installed.unit("SubState") == ["failed"], 5)
    assert installed.unit("NRestarts", "ExecMainStatus") == ["0", "2"]
    assert "ring_timeout" in installed.journal()


def test_a_secret_of_the_server_is_read(installed):
    installed.write("/root/turn-secret", "the secret\n")
    installed.run("install", "--owner=securecall", "--mode=600", "/root/turn-secret", "/etc/securecall/turn-secret")
    installed.replace(SETTINGS, '#secret_file = ', 'secret_file = ')
    installed.replace(SETTINGS, '#urls = ["turn:', 'urls = ["turn:')
    installed.systemctl("restart", "securecall")
    with installed.network(), Client(installed.url, "alice") as alice:
        alice.send("TURN_CREDENTIALS")
        assert alice.expect("TURN_CREDENTIALS")["iceServers"]
    assert "turn-secret" not in installed.journal(), "a warning about its mode"


def test_a_certificate_that_only_root_can_read_is_handed_over(installed, tmp_path):
    certificate.make(tmp_path, "signal.example.org")
    live = "/etc/letsencrypt/live/signal.example.org"
    installed.run("mkdir", "--parents", "--mode=700", live)
    for name, file in (("fullchain.pem", "chain.pem"), ("privkey.pem", "key.pem")):
        installed.write(f"{live}/{name}", (tmp_path / file).read_text())
    installed.run("chmod", "600", f"{live}/privkey.pem")
    installed.write(DROP_IN, f"[Service]\nLoadCredential=chain.pem:{live}/fullchain.pem\n"
                             f"LoadCredential=key.pem:{live}/privkey.pem\n")
    credentials = "/run/credentials/securecall.service"
    installed.replace(SETTINGS, '#certificate = "/etc/securecall/chain.pem"', f'certificate = "{credentials}/chain.pem"')
    installed.replace(SETTINGS, '#key = "/etc/securecall/key.pem"', f'key = "{credentials}/key.pem"')
    installed.systemctl("daemon-reload")
    installed.systemctl("restart", "securecall")
    # By its own settings, which say that it is TLS.
    assert "ok" in installed.run("securecall", "health").stdout
    assert "wss://" in installed.journal() and " WARN " not in installed.journal()


def test_a_crash_is_followed_by_a_start(installed):
    [pid] = installed.unit("MainPID")
    installed.run("kill", "-KILL", pid)
    assert eventually(lambda: installed.unit("ActiveState", "NRestarts") == ["active", "1"], 10)
    assert "ok" in installed.run("securecall", "health").stdout


def test_removed_it_leaves_settings_and_keys_and_purged_nothing(installed):
    installed.run("dpkg", "--remove", "securecall")
    assert installed.systemctl("is-active", "securecall", check=False).strip() == "inactive"
    installed.run("test", "!", "-e", "/usr/bin/securecall")
    installed.run("test", "-f", SETTINGS)
    installed.run("test", "-f", "/var/lib/securecall/server.key")
    installed.run("dpkg", "--purge", "securecall")
    for path in (SETTINGS, "/etc/securecall", "/var/lib/securecall", "/usr/share/doc/securecall"):
        installed.run("test", "!", "-e", path)
    assert not installed.run("find", "/etc/systemd/system", "/var/lib/systemd", "-name", "*securecall*").stdout
    # The same again, after everything is gone.
    assert installed.systemctl("list-unit-files", "securecall.service", check=False).count("0 unit files") == 1


def test_removed_and_installed_again_it_runs_again(installed, package):
    installed.run("dpkg", "--remove", "securecall")
    installed.install(package)
    assert installed.unit("ActiveState", "UnitFileState") == ["active", "enabled"]


def test_low_ports_are_a_drop_in(installed):
    folder = "/etc/systemd/system/securecall.service.d"
    installed.run("mkdir", folder)
    installed.run("cp", "/usr/share/doc/securecall/examples/low-ports.conf", folder)
    installed.replace(SETTINGS, '\n#listen = "0.0.0.0:8080"', '\nlisten = "0.0.0.0:443"')
    # From 1024 on by default, but a kernel may be set otherwise: then this would show nothing.
    assert installed.run("cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start").stdout.strip() == "1024"
    installed.systemctl("daemon-reload")
    installed.systemctl("restart", "securecall")
    assert installed.http("/health", 443)[0].status == 200
    installed.run("rm", f"{folder}/low-ports.conf")
    installed.systemctl("daemon-reload")
    assert "failed" in installed.systemctl("restart", "securecall", check=False)
    assert "Permission denied" in installed.journal()


def test_the_same_binary_gives_the_same_package(package, tmp_path):
    environment = {**os.environ, "SECURECALL_VERSION": "1.0.0", "DPKG_DEB_COMPRESSOR_TYPE": "none"}
    subprocess.run([PACKAGING / "deb", binary(), tmp_path], env=environment, check=True, timeout=170)
    assert (tmp_path / package.name).read_bytes() == package.read_bytes()


@pytest.mark.parametrize("drop_ins", [(), (LOW_PORTS,)], ids=["as it is", "with low ports"])
def test_the_unit_is_hardened(tmp_path, drop_ins):
    unit = tmp_path / "securecall.service"
    unit.write_text("".join(path.read_text() for path in chain([UNIT], drop_ins)))
    done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--no-pager", unit], check=True,
                          capture_output=True, text=True)
    exposure = float(re.search(r"Overall exposure level .*: ([\d.]+)", done.stdout)[1])
    assert exposure <= EXPOSURE_MAX, done.stdout


def test_systemd_finds_nothing_wrong_with_the_unit(looked_at):
    assert looked_at.run("systemd-analyze", "verify", "securecall.service").stdout == ""
