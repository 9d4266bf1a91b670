"""The first minutes of an operator: the words at start, a look at the configuration, the health check."""

import json
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from driver.client import Client
from driver.server import binary, clean_environment, eventually, free_port

CONFIG_OF_PACKAGES = "/etc/securecall/securecall.toml"


@pytest.fixture
def run(tmp_path):
    """Runs the command in a folder of its own."""
    folder = tmp_path / "here"
    folder.mkdir()

    def run(*arguments, environment=None, under=()) -> subprocess.CompletedProcess:
        return subprocess.run(
            [*under, binary(), *arguments], cwd=folder, env=clean_environment(**(environment or {})),
            capture_output=True, text=True, timeout=20,
        )

    return run


def seen(folder: Path) -> dict:
    """All that can be seen of a folder, with the contents of its files."""
    paths = sorted(folder.rglob("*"))
    return {path: (path.lstat().st_mode, path.lstat().st_mtime_ns, path.is_file() and path.read_bytes()) for path in paths}


# The words at start.


def test_the_version_comes_first_and_how_to_stop_last(serve, tmp_path):
    server = serve()
    assert eventually(lambda: "> {" in server.log(), 2)
    words = [line for line in server.log().splitlines() if " INFO " not in line]
    assert re.fullmatch(r"securecall \d+\.\d+\.\d+", words[0])
    assert words[1] == f"listening on 127.0.0.1:{server.port}"
    assert words[2] == f"from this machine: {server.url}"
    assert words[4] == f"data in {server.data_dir}"
    assert "Ctrl-C" in words[5]
    assert words[7] == f"try: curl http://127.0.0.1:{server.port}/health"


def test_a_start_with_every_default_has_no_warning_and_names_all_addresses(tmp_path):
    """In a folder with nothing in it, as a newcomer starts it; the port alone is another."""
    port = free_port()
    log = tmp_path / "log"
    with log.open("w") as file:
        process = subprocess.Popen([binary()], cwd=tmp_path, env=clean_environment(PORT=str(port)), stdout=file, stderr=file)
    try:
        assert eventually(lambda: "try: curl" in log.read_text(), 15)
        assert f"listening on 0.0.0.0:{port} (all addresses)\n" in log.read_text()
        assert f"from this machine: ws://127.0.0.1:{port}/signal\n" in log.read_text()
        assert "WARN" not in log.read_text() and "warning" not in log.read_text()
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0


def test_with_json_logs_every_line_is_json(tmp_path):
    log = tmp_path / "log"
    arguments = ["--listen", "127.0.0.1:0", "--log-format", "json", "--trusted-proxies", "127.0.0.1"]
    with log.open("w") as file:
        process = subprocess.Popen([binary(), *arguments], cwd=tmp_path, env=clean_environment(), stdout=file, stderr=file)
    try:
        assert eventually(lambda: "listening" in log.read_text() and log.read_text().endswith("\n"), 15)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert all({"timestamp", "level", "fields", "target"} <= set(line) for line in lines)
    start, = (line["fields"] for line in lines if line["fields"]["message"].startswith("listening"))
    assert start["data_dir"] == str(tmp_path / "securecall-data")
    assert re.fullmatch(r"ws://127\.0\.0\.1:\d+/signal", start["url"])


FAILED_STARTS = {
    "a value out of range": (["--connections-max", "0"], "limits.connections_max", 2),
    "an unknown flag": (["--nonsense"], "--nonsense", 2),
    "a data folder that cannot be": (["--data-dir", "/dev/null/state"], "/dev/null/state", 1),
}


@pytest.mark.parametrize("what", FAILED_STARTS)
@pytest.mark.parametrize("asked_by", ["flag", "environment", "file"])
def test_with_json_logs_the_reason_of_a_failed_start_is_json(tmp_path, what, asked_by):
    arguments, named, code = FAILED_STARTS[what]
    file = tmp_path / "securecall.toml"
    file.write_text('log_format = "json"\n')
    flags = {"flag": ["--log-format", "json"], "environment": [], "file": ["--config", str(file)]}[asked_by]
    environment = {"SECURECALL_LOG_FORMAT": "json"} if asked_by == "environment" else {}
    failed = subprocess.run([binary(), "serve", "--listen", "127.0.0.1:0", *flags, *arguments], cwd=tmp_path,
                            env=clean_environment(**environment), capture_output=True, text=True, timeout=15)
    assert failed.returncode == code
    lines = [json.loads(line) for line in failed.stderr.splitlines()]
    assert (lines[-1]["level"], set(lines[-1])) == ("ERROR", {"timestamp", "level", "fields", "target"})
    assert named in lines[-1]["fields"]["message"]
    # Without, it is for people.
    failed = subprocess.run([binary(), "serve", "--listen", "127.0.0.1:0", *arguments], cwd=tmp_path, env=clean_environment(),
                            capture_output=True, text=True, timeout=15)
    assert failed.stderr.splitlines()[-1].startswith("error: ") or "error: " in failed.stderr


# A look at the configuration.


def test_check_config_beside_a_running_server_passes_and_touches_nothing(serve, run):
    server = serve()
    with Client(server.url, "alice") as alice:
        before = seen(server.data_dir)
        arguments = ["check-config", "--data-dir", server.data_dir, "--listen", f"127.0.0.1:{server.port}"]
        checked = run(*arguments)
        assert checked.returncode == 0, checked.stderr
        assert f'listen = "127.0.0.1:{server.port}"  # flag --listen' in checked.stdout
        assert seen(server.data_dir) == before
        alice.expect_quiet()


def test_check_config_makes_no_folder(run, tmp_path):
    missing = tmp_path / "missing"
    assert run("check-config", "--data-dir", missing).returncode == 0
    assert run("check-config").returncode == 0
    assert not missing.exists()
    assert list((tmp_path / "here").iterdir()) == []


def test_check_config_refuses_what_a_start_refuses(run, tmp_path):
    (tmp_path / "file").write_text("no folder, no key, no certificate")
    (tmp_path / "file").chmod(0o600)
    file = str(tmp_path / "file")
    for arguments, word in [
        (["--data-dir", file], "is not a folder"),
        (["--tls-certificate", file, "--tls-key", file], "tls.certificate"),
        (["--acme-domains", "a.example", "--acme-ca", file], "acme.ca"),
        (["--turn-urls", "turn:a.example", "--turn-secret-file", f"{file}-missing"], "missing"),
        (["--listen", "192.0.2.1:8080"], "--listen"),
        (["--listen", f"127.0.0.1:{free_port()}", "--admin-listen", "192.0.2.1:9090"], "--admin-listen"),
    ]:
        refused = run("check-config", *arguments)
        assert refused.returncode == 2, arguments
        assert refused.stdout == "" and len(refused.stderr.splitlines()) == 1
        assert word in refused.stderr, refused.stderr
        started = run("serve", *arguments)
        assert started.returncode in (1, 2)
        assert started.stderr.splitlines()[-1] == refused.stderr.splitlines()[-1]


def test_a_printed_file_keeps_what_was_set_and_can_be_served_with(run, serve, tmp_path):
    printed = run("check-config", "--print", "--grace", "7s")
    assert printed.returncode == 0, printed.stderr
    file = tmp_path / "printed.toml"
    file.write_text(printed.stdout)
    checked = run("check-config", "--config", file)
    assert f'grace = "7s"  # file {file}' in checked.stdout
    assert 'ring_timeout = "1m"  # default' in checked.stdout
    assert f"settings in {file}\n" in serve("--config", str(file)).log()


def in_a_machine_with(config: str) -> tuple[str, ...]:
    """A command that runs another one where /etc has the file of a package, and nothing else."""
    if os.geteuid() != 0:
        pytest.skip("mounting takes root")
    script = 'mount -t tmpfs tmpfs /etc && mkdir -m 755 /etc/securecall && printf %s "$0" > ' + CONFIG_OF_PACKAGES + ' && exec "$@"'
    return ("unshare", "--mount", "sh", "-c", script, config)


def test_the_file_of_a_package_is_found_and_named(run, serve):
    machine = in_a_machine_with('[calls]\ngrace = "7s"\n')
    checked = run("check-config", under=machine)
    assert f'grace = "7s"  # file {CONFIG_OF_PACKAGES}' in checked.stdout, checked.stderr
    assert f"settings in {CONFIG_OF_PACKAGES}\n" in serve(under=machine).log()
    without = run("check-config", under=machine, environment={"SECURECALL_CONFIG": ""})
    assert 'grace = "30s"  # default' in without.stdout, without.stderr
    assert CONFIG_OF_PACKAGES in run("check-config", "--help").stdout


# The health check.


def test_health_asks_the_port_that_the_server_has(serve, run):
    port = free_port()
    server = serve(port=port)
    for arguments, environment in [
        (["--listen", f"127.0.0.1:{port}"], {}), ([], {"PORT": str(port)}),
        ([f"http://127.0.0.1:{port}"], {}), ([server.url], {}),
    ]:
        healthy = run("health", *arguments, environment=environment)
        assert (healthy.returncode, healthy.stdout, healthy.stderr) == (0, "ok\n", ""), arguments
    server.stop()
    dead = run("health", environment={"PORT": str(port)})
    assert dead.returncode == 1 and dead.stdout == ""
    assert len(dead.stderr.splitlines()) == 1 and "refused" in dead.stderr


def test_health_fails_while_the_server_drains(serve, run):
    server = serve("--drain-period", "3s", "--drain-timeout", "5s")
    with Client(server.url, "alice"), Client(server.url, "bob"):
        server.terminate()
        assert eventually(lambda: server.http("/health")[0].status == 503, 2)
        draining = run("health", server.url)
        assert draining.returncode == 1 and "is stopping" in draining.stderr


def test_health_of_a_server_with_tls_needs_no_name(serve, run, tmp_path):
    certificate, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
         "/CN=signal.example.org", "-days", "2", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    flags = ["--tls-certificate", str(certificate), "--tls-key", str(key)]
    server = serve(*flags)
    own = run("health", *flags, "--listen", f"127.0.0.1:{server.port}")
    assert own.returncode == 0, own.stderr
    named = run("health", f"https://127.0.0.1:{server.port}/health")
    assert named.returncode == 1 and "ertificate" in named.stderr


def test_health_of_a_server_that_says_nothing_ends_within_its_timeout(run):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        unanswered = run("health", f"http://127.0.0.1:{silent.getsockname()[1]}/health")
        assert unanswered.returncode == 1 and "no answer" in unanswered.stderr
        assert 4 < time.monotonic() - began < 15
