"""Debian's Prometheus, which scrapes a server with the files of examples/monitoring."""

import json
import shutil
import subprocess
import urllib.parse
from pathlib import Path

from driver.server import REPOSITORY, accepts, eventually, free_port, request

MONITORING = REPOSITORY / "examples" / "monitoring"


class Prometheus:
    """One Prometheus with the configuration of examples/monitoring, for the listener on port `admin_port`, in a hurry."""

    def __init__(self, folder: Path, admin_port: int):
        folder.mkdir()
        self.port = free_port()
        configuration = (MONITORING / "prometheus.yml").read_text()
        configuration = configuration.replace("127.0.0.1:9090", f"127.0.0.1:{admin_port}").replace("15s", "1s")
        (folder / "prometheus.yml").write_text(configuration)
        shutil.copy(MONITORING / "alerts.yml", folder)
        with (folder / "log").open("w") as log:
            self.process = subprocess.Popen([
                "prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address=127.0.0.1:{self.port}",
            ], stdout=log, stderr=subprocess.STDOUT)
        if not eventually(self._is_ready, seconds=20):
            self.stop()
            raise TimeoutError("prometheus is not ready")

    def ask(self, path: str, **query: str):
        """What its API answers; an error of the query fails the test."""
        response, body = request(self.port, f"/api/v1/{path}?{urllib.parse.urlencode(query)}")
        answer = json.loads(body)
        assert response.status == 200 and answer["status"] == "success", (path, query, answer)
        return answer["data"]

    def query(self, expression: str) -> list[dict]:
        """The samples of an expression, now."""
        return self.ask("query", query=expression)["result"]

    def _is_ready(self) -> bool:
        """It listens before it answers queries."""
        return accepts(self.port) and request(self.port, "/-/ready")[0].status == 200

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)
