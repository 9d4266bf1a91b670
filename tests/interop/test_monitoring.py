"""The listener for operators: metrics in both formats, as Prometheus and others read them, and the files of
examples/monitoring beside a real server."""

import json
import re
import shutil
import subprocess

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as text_format

from driver.client import Client
from driver.prometheus import MONITORING, Prometheus
from driver.server import eventually, request
from driver.tcp_proxies import certificate

# What Prometheus 2.42 asks for.
OPEN_METRICS = ("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
                "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
NAME = re.compile(r"\b(?:securecall|process)_\w+")
ALERT = re.compile(r"alert: (\w+)|alertname=\"(\w+)\"")


def scrape(server, accept: str | None = None) -> tuple[str, str]:
    """The content type and the text of the metrics."""
    response, body = request(server.admin_port, "/metrics", headers={"Accept": accept} if accept else {})
    assert response.status == 200
    return response.headers["Content-Type"], body.decode()


def names(families) -> set[str]:
    return {sample.name for family in families for sample in family.samples}


def rules() -> list[str]:
    """The expressions of all alerts, without what the file says around them."""
    text = (MONITORING / "alerts.yml").read_text()
    return re.findall(r"expr: (?:>-\s+)?(.*?)\n +(?:for|labels):", text, re.DOTALL)


def panels() -> list[str]:
    """The expressions of the dashboard, with its variables filled in."""
    dashboard = json.loads((MONITORING / "grafana-dashboard.json").read_text())
    filled = {"$job": "securecall", "$instance": ".+", "$__rate_interval": "10s"}
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    for variable, value in filled.items():
        expressions = [expression.replace(variable, value) for expression in expressions]
    return expressions


@pytest.fixture
def tls_server(serve, tmp_path):
    pem = certificate(tmp_path)
    return serve("--tls-certificate", str(pem), "--tls-key", str(pem))


@pytest.fixture
def prometheus(tmp_path):
    """Starts a Prometheus for a server."""
    started = []

    def start(server) -> Prometheus:
        started.append(Prometheus(tmp_path / "prometheus", server.admin_port))
        return started[-1]

    yield start
    for one in started:
        one.stop()
        print((tmp_path / "prometheus" / "log").read_text()[-4000:])


def test_each_scraper_gets_the_format_that_it_asks_for(server):
    content_type, text = scrape(server)
    assert content_type == "text/plain; version=0.0.4; charset=utf-8" and "# EOF" not in text
    assert scrape(server, "text/plain;version=0.0.4")[0] == content_type
    content_type, text = scrape(server, OPEN_METRICS)
    assert content_type == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert text.endswith("\n# EOF\n")


def test_both_formats_show_the_same_samples_to_the_parsers_of_prometheus(tls_server):
    new, old = open_metrics(scrape(tls_server, OPEN_METRICS)[1]), text_format(scrape(tls_server)[1])
    shown = names(new)
    assert shown == names(old)
    assert {"securecall_connections", "securecall_messages_total", "securecall_build_info", "process_open_fds",
            "process_cpu_seconds_total", "securecall_tls_handshakes_total"} <= shown


def test_promtool_has_nothing_to_complain_of(tls_server):
    checked = subprocess.run(["promtool", "check", "metrics"], input=scrape(tls_server)[1], text=True, capture_output=True)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_the_head_of_an_answer_and_other_methods(server):
    for path in ["/metrics", "/livez", "/readyz"]:
        response, body = request(server.admin_port, path, "HEAD")
        assert (response.status, body) == (200, b"") and int(response.headers["Content-Length"]) > 0
        response, _ = request(server.admin_port, path, "POST")
        assert response.status == 405 and response.headers["Allow"] == "GET, HEAD"
    assert request(server.admin_port, "/")[0].status == 404


def test_the_process_is_measured(server):
    before = server.metrics()
    with Client(server.url, "alice"), Client(server.url, "bob"):
        during = server.metrics()
        assert during["process_open_fds"] >= before["process_open_fds"] + 2
    limit = int(subprocess.check_output(["prlimit", "--pid", str(server.process.pid), "--nofile", "--noheadings", "--raw",
                                         "--output", "SOFT"]))
    assert during["process_max_fds"] == limit
    resident = int(subprocess.check_output(["ps", "-o", "rss=", "-p", str(server.process.pid)])) * 1024
    assert resident / 2 < during["process_resident_memory_bytes"] < resident * 2
    assert during["process_start_time_seconds"] == before["process_start_time_seconds"]
    assert during["securecall_connections_max"] > 100


def test_prometheus_scrapes_it_and_runs_every_rule_and_panel(tls_server, prometheus):
    server = prometheus(tls_server)
    assert eventually(lambda: server.query("securecall_connections"), 20, every=0.5)
    [target] = server.ask("targets")["activeTargets"]
    assert (target["health"], target["lastError"]) == ("up", "")
    alerts = {rule["name"]: rule for group in server.ask("rules")["groups"] for rule in group["rules"]}
    assert len(alerts) == len(rules()) > 10
    for expression in rules() + panels():
        server.query(expression)
    # What is compared with a bound shows nothing on a server that is well; all else shows something.
    assert eventually(lambda: all(server.query(panel) for panel in panels() if " > 0" not in panel), 20, every=0.5)
    assert not [rule for rule in alerts.values() if rule["state"] == "firing"]


def test_rules_and_dashboard_name_metrics_that_there_are(tls_server):
    shown = names(text_format(scrape(tls_server)[1]))
    used = set(NAME.findall("\n".join(rules() + panels())))
    assert used and used <= shown, used - shown


def test_each_alert_fires_when_it_should_and_not_before(tmp_path):
    subprocess.run(["promtool", "test", "rules", MONITORING / "alerts.test.yml"], check=True)
    subprocess.run(["promtool", "check", "config", MONITORING / "prometheus.yml"], check=True)
    declared = {one or other for one, other in ALERT.findall((MONITORING / "alerts.yml").read_text())}
    cases = (MONITORING / "alerts.test.yml").read_text().split("- name: ")[1:]
    assert {other for case in cases for one, other in ALERT.findall(case)} == declared
    assert all('instance="ill"' in case and 'instance="well"' in case for case in cases)
    page = (MONITORING.parents[1] / "docs/operations-monitoring.md").read_text()
    assert declared == set(re.findall(r"^\| `(SecureCall\w+)`", page, re.MULTILINE))


def test_a_rule_that_is_too_lax_fails_its_case(tmp_path):
    """That promtool judges, at all."""
    shutil.copy(MONITORING / "alerts.test.yml", tmp_path)
    lax = (MONITORING / "alerts.yml").read_text().replace("connections_max > 0.8", "connections_max > 0.95")
    (tmp_path / "alerts.yml").write_text(lax)
    judged = subprocess.run(["promtool", "test", "rules", tmp_path / "alerts.test.yml"], capture_output=True, text=True)
    assert judged.returncode != 0 and "SecureCallNearlyFull" in judged.stdout + judged.stderr


def closes(server) -> dict[str, float]:
    [family] = [one for one in text_format(scrape(server)[1]) if one.name in ("securecall_closes", "securecall_closes_total")]
    return {sample.labels["code"]: sample.value for sample in family.samples if sample.value}


def test_a_connection_ends_with_one_code(server):
    with Client(server.url, "alice") as first, Client(server.url, "alice") as second:
        first.expect_close(4001)
        assert eventually(lambda: server.metrics()["securecall_connections"] == 1, 5)
        assert closes(server) == {"4001": 1}
        second.close()
    assert eventually(lambda: closes(server) == {"4001": 1, "1000": 1}, 5)
