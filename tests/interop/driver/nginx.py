"""Debian's nginx in front of the server, as docs and hosting platforms set it up."""

import subprocess
from pathlib import Path

from driver.server import accepts, eventually, free_port

CONFIGURATION = """
daemon off;
user root;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://127.0.0.1:{upstream};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_read_timeout 90s;
    }}
  }}
}}
"""


class Nginx:
    """One nginx that forwards everything to the server on port `upstream`."""

    def __init__(self, folder: Path, upstream: int):
        folder.mkdir()
        self.port = free_port()
        self.url = f"ws://127.0.0.1:{self.port}/signal"
        configuration = folder / "nginx.conf"
        configuration.write_text(CONFIGURATION.format(folder=folder, port=self.port, upstream=upstream))
        self.process = subprocess.Popen(["nginx", "-p", folder, "-e", folder / "error.log", "-c", configuration])
        if not eventually(lambda: accepts(self.port), seconds=10):
            self.stop()
            raise TimeoutError("nginx does not listen")

    def stop(self) -> None:
        """The master takes its worker with it."""
        self.process.terminate()
        self.process.wait(10)
