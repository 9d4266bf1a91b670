"""The proxies of examples/proxies, each with its file as it stands there: only ports and paths are others."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from driver.server import REPOSITORY, accepts, eventually, free_port
from driver.tcp_proxies import certificate

EXAMPLES = REPOSITORY / "examples" / "proxies"
CERTIFICATES = "/etc/ssl/call.example.org"


class Proxy:
    """One proxy in front of the server on port `upstream`, with TLS."""

    file: str
    # What a reload by its own means does to WebSockets that are open.
    reload_keeps = True

    def __init__(self, folder: Path, upstream: int):
        folder.mkdir()
        self.folder, self.port, self.upstream = folder, free_port(), upstream
        self.pem = certificate(folder)
        self.processes: list[subprocess.Popen] = []
        self.start()
        if not eventually(lambda: accepts(self.port), seconds=15):
            self.stop()
            raise TimeoutError(self.log())

    @property
    def url(self) -> str:
        return f"wss://127.0.0.1:{self.port}/signal"

    def example(self, name: str | None = None, *others: tuple[str, str]) -> str:
        """The text of an example, in which each of these must occur."""
        text = (EXAMPLES / (name or self.file)).read_text()
        for there, here in others:
            assert there in text, f"{there!r} is not in {name or self.file}"
            text = text.replace(there, here)
        for name_of_pem in ("fullchain.pem", "privkey.pem", "all.pem"):
            text = text.replace(f"{CERTIFICATES}/{name_of_pem}", str(self.pem))
        return text

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    def run(self, *command: str | Path, **environment: str) -> subprocess.Popen:
        with (self.folder / "log").open("a") as log:
            process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder,
                                       env={**os.environ, "HOME": str(self.folder), **environment})
        self.processes.append(process)
        return process

    def log(self) -> str:
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*log")))

    def start(self) -> None:
        raise NotImplementedError

    def reload(self) -> None:
        raise NotImplementedError

    def signal(self, number: signal.Signals) -> None:
        self.processes[0].send_signal(number)

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Nginx(Proxy):
    file = "nginx.conf"

    def start(self) -> None:
        site = self.example(None, ("listen 443", f"listen 127.0.0.1:{self.port}"), ("127.0.0.1:8080", f"127.0.0.1:{self.upstream}"))
        temporary = "".join(f"{kind}_temp_path {self.folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        configuration = self.write("nginx.conf", f"""
daemon off; user root; worker_processes 1; pid {self.folder}/pid; events {{}}
http {{ access_log off; {temporary} {site} }}""")
        self.run("nginx", "-p", self.folder, "-e", self.folder / "log", "-c", configuration)

    def reload(self) -> None:
        self.signal(signal.SIGHUP)


class Caddy(Proxy):
    file = "Caddyfile"
    reload_keeps = False

    def start(self) -> None:
        self.admin = free_port()
        site = self.example(None, ("call.example.org {", f"https://127.0.0.1:{self.port} {{\n\tbind 127.0.0.1"),
                            ("127.0.0.1:8080", f"127.0.0.1:{self.upstream}"))
        options = f"{{\n\tadmin 127.0.0.1:{self.admin}\n\tauto_https disable_redirects\n}}\n"
        self.configuration = self.write("Caddyfile", options + site)
        self.run("caddy", "run", "--config", self.configuration, "--adapter", "caddyfile")

    def reload(self) -> None:
        # As the unit of Debian's package does.
        command = ["caddy", "reload", "--config", self.configuration, "--adapter", "caddyfile", "--force"]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "HOME": str(self.folder)})


class Haproxy(Proxy):
    file = "haproxy.cfg"

    def start(self) -> None:
        site = self.example(None, ("bind :443", f"bind 127.0.0.1:{self.port}"), ("127.0.0.1:8080", f"127.0.0.1:{self.upstream}"))
        configuration = self.write("haproxy.cfg", f"global\n  stats timeout 10s\n{site}")
        self.run("haproxy", "-W", "-db", "-f", configuration)

    def reload(self) -> None:
        self.signal(signal.SIGUSR2)


class HaproxyTcp(Haproxy):
    file = "haproxy-tcp.cfg"


class Apache(Proxy):
    file = "apache.conf"

    def start(self) -> None:
        site = self.example(None, ("*:443", f"127.0.0.1:{self.port}"), ("127.0.0.1:8080", f"127.0.0.1:{self.upstream}"))
        modules = ("mpm_event", "authz_core", "ssl", "proxy", "proxy_http")
        load = "".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n" for name in modules)
        self.configuration = self.write("apache2.conf", f"""
ServerRoot {self.folder}
ServerName 127.0.0.1
PidFile {self.folder}/pid
DefaultRuntimeDir {self.folder}
ErrorLog {self.folder}/error.log
Listen 127.0.0.1:{self.port}
{load}{site}""")
        self.run("apache2", "-D", "FOREGROUND", "-f", self.configuration)

    def reload(self) -> None:
        self.signal(signal.SIGUSR1)


class Lighttpd(Proxy):
    file = "lighttpd.conf"
    reload_keeps = False

    def start(self) -> None:
        socket = f"127.0.0.1:{self.port}"
        site = self.example(None, ('":443"', f'"{socket}"'), ('"port" => 8080', f'"port" => {self.upstream}'))
        # Its first socket is plain; nothing uses it.
        configuration = self.write("lighttpd.conf", f"""
server.document-root = "{self.folder}"
server.bind = "127.0.0.1"
server.port = {free_port()}
server.errorlog = "{self.folder}/error.log"
{site}""")
        self.run("lighttpd", "-D", "-f", configuration)

    def reload(self) -> None:
        # As the unit of Debian's package does.
        self.signal(signal.SIGUSR1)


class Varnish(Proxy):
    file = "varnish.vcl"

    def start(self) -> None:
        inner = free_port()
        self.vcl = self.write("default.vcl", self.example(None, ('"8080"', f'"{self.upstream}"')))
        self.run("varnishd", "-F", "-n", self.folder / "varnish", "-a", f"127.0.0.1:{inner},PROXY", "-f", self.vcl, "-s", "malloc,1m",
                 "-j", "none")
        if not eventually(lambda: accepts(inner), seconds=15):
            self.stop()
            raise TimeoutError(self.log())
        hitch = self.example("hitch.conf", ('"[*]:443"', f'"[127.0.0.1]:{self.port}"'), ("[127.0.0.1]:6081", f"[127.0.0.1]:{inner}"))
        user = ["--user=nobody"] if os.geteuid() == 0 else []
        self.run("hitch", f"--config={self.write('hitch.conf', hitch)}", *user)

    def reload(self) -> None:
        # As varnishreload of Debian's package does.
        for command in (["vcl.load", "again", self.vcl], ["vcl.use", "again"]):
            subprocess.run(["varnishadm", "-n", self.folder / "varnish", *command], check=True, capture_output=True)


class Squid(Proxy):
    file = "squid.conf"

    def start(self) -> None:
        site = self.example(None, ("https_port 443", f"https_port 127.0.0.1:{self.port}"), ("parent 8080", f"parent {self.upstream}"))
        self.folder.chmod(0o777)
        self.pem.chmod(0o644)
        self.configuration = self.write("squid.conf", f"""{site}
pid_filename {self.folder}/pid
cache_log {self.folder}/cache.log
access_log none
netdb_filename none
pinger_enable off
coredump_dir {self.folder}
visible_hostname call.example.org
shutdown_lifetime 0 seconds
""")
        self.run("squid", "-N", "-n", f"t{self.port}", "-f", self.configuration)

    def reload(self) -> None:
        self.signal(signal.SIGHUP)


PROXIES: dict[str, Callable[[Path, int], Proxy]] = {
    "nginx": Nginx, "caddy": Caddy, "haproxy": Haproxy, "haproxy-tcp": HaproxyTcp, "apache": Apache, "lighttpd": Lighttpd,
    "varnish": Varnish, "squid": Squid,
}
