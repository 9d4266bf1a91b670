"""The crates that are linked into the binary: neither procedural macros, nor what builds or tests it needs."""

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
ROOT = "securecall-cli"
TARGET = "x86_64-unknown-linux-gnu"


@dataclass
class Crate:
    name: str
    version: str
    licence: str
    description: str
    repository: str | None
    folder: Path
    checksum: str | None
    needs: list[str] = field(default_factory=list)

    @property
    def is_ours(self) -> bool:
        return self.checksum is None

    @property
    def purl(self) -> str:
        return f"pkg:cargo/{self.name}@{self.version}"


def linked_crates() -> dict[str, Crate]:
    """Each crate by its purl, in order of names; the binary's own is among them."""
    linked = linked_ids()
    checksums = locked_checksums()
    metadata = json.loads(cargo("metadata", "--format-version=1", "--all-features", "--filter-platform", TARGET))
    by_id = {
        package["id"]: crate_of(package, checksums)
        for package in metadata["packages"]
        if (package["name"], package["version"]) in linked
    }
    for node in metadata["resolve"]["nodes"]:
        if crate := by_id.get(node["id"]):
            crate.needs = sorted({by_id[d["pkg"]].purl for d in node["deps"] if d["pkg"] in by_id and is_normal(d)})
    return {crate.purl: crate for crate in sorted(by_id.values(), key=lambda crate: (crate.name, crate.version))}


def linked_ids() -> set[tuple[str, str]]:
    """Names and versions. `cargo tree` alone knows what of them the features of this binary need."""
    tree = cargo("tree", "--package", ROOT, "--all-features", "--edges=normal,no-proc-macro", "--target", TARGET, "--prefix=none",
                 "--format={p}")
    lines = {tuple(line.split()[:2]) for line in tree.splitlines() if line}
    return {(name, version.removeprefix("v")) for name, version in lines}


def locked_checksums() -> dict[tuple[str, str], str]:
    import tomllib
    lock = tomllib.loads((REPOSITORY / "Cargo.lock").read_text())
    return {(p["name"], p["version"]): p["checksum"] for p in lock["package"] if "checksum" in p}


def crate_of(package: dict, checksums: dict) -> Crate:
    name, version = package["name"], package["version"]
    return Crate(
        name, version, (package["license"] or "").replace("/", " OR "), (package["description"] or "").strip(),
        package["repository"], Path(package["manifest_path"]).parent, checksums.get((name, version)),
    )


def is_normal(dependency: dict) -> bool:
    return any(kind["kind"] is None for kind in dependency["dep_kinds"])


def cargo(*arguments: str) -> str:
    command = ["cargo", arguments[0], "--locked", *arguments[1:]]
    return subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True).stdout
