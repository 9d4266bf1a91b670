"""What is done with a block that neither its page nor claims.toml says anything about: its language decides."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import fastjsonschema
import yaml

import developers
from blocks import REPOSITORY, Block
from driver import documented
from home import Home
from transcripts import commands, pattern


def run_sh(block: Block, home: Home) -> None:
    if developers.is_for_developers(block):
        return developers.check(block)
    home.succeeds(block.text)


def run_console(block: Block, home: Home) -> None:
    """The commands share a shell, as they do for a reader."""
    transcript = commands(block.text)
    said = home.run("set +e\n" + "".join(f"{command}printf '\\036'\n" for command, _ in transcript), merged=True).stdout
    for (command, printed), actual in zip(transcript, said.split("\x1e")):
        assert pattern(home.localized(printed)).fullmatch(actual), f"{command}printed\n{actual}\ninstead of\n{printed}"


def check_json(block: Block, _home: Home) -> None:
    """One value or several; what has a `type` and a `payload` is a message of the protocol. `…` cuts a value short."""
    text, decoder = block.text.replace("…", "").strip(), json.JSONDecoder()
    while text:
        value, end = decoder.raw_decode(text)
        text = text[end:].lstrip()
        if isinstance(value, dict) and {"type", "payload"} <= value.keys() and value["type"] != "MESSAGE_TYPE":
            assert is_message(value), f"undocumented: {value}"


def is_message(value: dict) -> bool:
    """Whether either side may say so in either dialect. `seq` is left out where it does not matter."""
    keys = [f"{sender}.{dialect}.{value['type']}" for sender in ("client", "server") for dialect in (1, 2)]
    for key in keys:
        for message in (value, {**value, "seq": 1}):
            try:
                documented.schema(key)(message)
                return True
            except (fastjsonschema.JsonSchemaException, KeyError):
                pass
    return False


def check_toml(block: Block, home: Home) -> None:
    if "dependencies" in tomllib.loads(block.text):
        return check_manifest(block, home)
    text = home.localized(block.text)
    for secret in re.findall(r'secret_file = "(.+)"', text):
        Path(secret).write_text("secret\n")
        Path(secret).chmod(0o600)
    path = home.folder / "block.toml"
    path.write_text(text)
    home.succeeds(f"securecall check-config --config {path}")


def check_manifest(block: Block, home: Home) -> None:
    """Crates, features and versions are there: they resolve to what Cargo.lock has."""
    package = home.folder / "application"
    (package / "src").mkdir(parents=True)
    (package / "src/main.rs").write_text("fn main() {}\n")
    crates = re.sub(r'path = "[^"]*/(crates/\w+)"', rf'path = "{REPOSITORY}/\1"', block.text)
    (package / "Cargo.toml").write_text(
        f'[package]\nname = "application"\nversion = "0.1.0"\nedition = "2024"\n\n[workspace]\n\n{crates}')
    (package / "Cargo.lock").write_text((REPOSITORY / "Cargo.lock").read_text())
    done = subprocess.run(["cargo", "metadata", "--offline", "--format-version", "1"], cwd=package, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def check_yaml(block: Block, home: Home) -> None:
    value = yaml.safe_load(block.text)
    assert isinstance(value, dict), "no mapping"
    if "scrape_configs" in value:
        path = home.folder / "prometheus.yml"
        path.write_text(block.text)
        home.succeeds(f"promtool check config {path}")


def check_rust(block: Block, _home: Home) -> None:
    """Blocks of Rust are doc tests of the crate that includes their page."""
    assert "ignore" not in block.flags, "a block that is ignored is compiled by nobody"
    name = block.page.removeprefix("docs/")
    including = subprocess.run(
        ["git", "grep", "-l", "-E", rf'include_str!\(.*/{name}"\)', "--", "crates/*/src/*.rs"], cwd=REPOSITORY, capture_output=True)
    assert including.returncode == 0, f"no crate has {block.page} among its doc tests"


STATEMENTS = {
    "sequenceDiagram": re.compile(
        r"(participant \w+( as .+)?|Note (over|left of|right of) \w+(,\w+)?: .+|(par|and|alt|else|loop|opt)\b.*|end|"
        r"\w+(->>|-->>|--x|-x|-\)|--\))\w+: .+)"),
    "stateDiagram-v2": re.compile(r"((\w+|\[\*\]) --> (\w+|\[\*\])(: .+)?|\w+: .+)"),
}


def check_mermaid(block: Block, _home: Home) -> None:
    """The statements that our diagrams use, each line one of them."""
    kind, *lines = block.text.strip().split("\n")
    for line in lines:
        assert STATEMENTS[kind].fullmatch(line.strip()), f"no statement of a {kind}: {line}"
    opened = sum(bool(re.match(r"\s*(par|alt|loop|opt)\b", line)) for line in lines)
    assert opened == sum(line.strip() == "end" for line in lines), "something is not ended"


KINDS = {
    "sh": run_sh, "console": run_console, "json": check_json, "toml": check_toml, "yaml": check_yaml, "rust": check_rust,
    "mermaid": check_mermaid,
}
