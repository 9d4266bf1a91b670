"""A certificate of an authority that nobody knows."""

import subprocess
from pathlib import Path


def make(folder: Path, name: str) -> Path:
    """Makes chain.pem and key.pem for this name, and gives the certificate of their authority."""
    def openssl(*arguments: object) -> None:
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, cwd=folder)

    authority = folder / "authority.pem"
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *new_key, "-keyout", "authority.key", "-out", authority, "-days", 2, "-subj", "/CN=test")
    openssl("req", *new_key, "-keyout", "key.pem", "-out", "request.pem", "-subj", f"/CN={name}")
    (folder / "extensions").write_text(f"subjectAltName=DNS:{name}\n")
    openssl("x509", "-req", "-in", "request.pem", "-CA", authority, "-CAkey", "authority.key", "-days", 2,
            "-extfile", "extensions", "-out", "chain.pem")
    return authority
