"""Commands for whoever changes the code. Each takes minutes and is a step of scripts/test, or of a longer test: what
they name is checked to be there."""

import functools
import json
import os
import re
import subprocess

import pytest

from blocks import REPOSITORY, block, takes

PAGES = {
    "README.md": ["two commands", "build the terminals"],
    "CONTRIBUTING.md": ["build and test", "one test", "simulate", "replay", "fuzz"],
    "bench/README.md": ["compare"],
    "tests/attacks/README.md": ["attacks", "walks"],
    "tests/clients/README.md": ["real clients"],
    "tests/docs/README.md": ["run"],
}

@functools.cache
def packages() -> dict[str, dict]:
    command = ["cargo", "metadata", "--offline", "--no-deps", "--format-version", "1"]
    listed = json.loads(subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True).stdout)
    return {package["name"]: package for package in listed["packages"]}


@pytest.mark.parametrize(("page", "name"), [(page, name) for page, names in PAGES.items() for name in names])
def test_what_it_names_is_there(page: str, name: str):
    folder = (REPOSITORY / page).parent
    for line in block(page, name).text.splitlines():
        for command in re.sub(r"\s+#.*", "", line).split(" && "):
            words = command.split()
            while "=" in words[0]:
                words.pop(0)
            if words[0] == "cd":
                folder = REPOSITORY / words[1]
            elif words[0] == "cargo":
                check_cargo(words)
            else:
                check_program(words, folder)


for taken, names in PAGES.items():
    takes(taken, *names)(test_what_it_names_is_there)


def check_cargo(words: list[str]) -> None:
    """The package, the binary, the test, the features, the fuzz target."""
    value = {flag: words[at + 1] for at, flag in enumerate(words[:-1]) if flag.startswith("-")}
    package = packages()[value.get("-p", "securecall-cli")]
    for flag, kind in (("--bin", "bin"), ("--test", "test"), ("--example", "example")):
        if flag in value:
            everywhere = packages().values() if "--workspace" in words else [package]
            targets = [target["name"] for one in everywhere for target in one["targets"] if kind in target["kind"]]
            assert value[flag] in targets, " ".join(words)
    for feature in value.get("--features", "").split(","):
        assert not feature or feature in package["features"], f"{package['name']} has no feature {feature}"
    if "fuzz" in words:
        assert (REPOSITORY / f"fuzz/fuzz_targets/{words[-1]}.rs").exists()


def check_program(words: list[str], folder) -> None:
    """A program of the repository, from its root or from the folder of the line, with flags that its source has."""
    if "pytest" in words:
        program = folder / "conftest.py"
        for file in (word for word in words if word.endswith(".py")):
            assert (folder / file).exists(), f"{folder} has no {file}"
        known = program.read_text() + " -k -s -q -m"
    else:
        program = REPOSITORY / words[0]
        assert os.access(program, os.X_OK), f"{program} is no program"
        sources = [program, *program.parent.glob("comparison/*.py")]
        known = "".join(source.read_text() for source in sources)
    for flag in (word for word in words[1:] if word.startswith("-")):
        assert flag in known, f"{program} does not know {flag}"


def test_the_first_command_starts_the_server_and_the_second_is_what_the_forge_runs():
    assert "securecall" in [target["name"] for target in packages()["securecall-cli"]["targets"]]
    assert 'default-members = ["crates/cli"]' in (REPOSITORY / "Cargo.toml").read_text()
    assert "scripts/test" in (REPOSITORY / ".ci/run").read_text()
