"""Commands for whoever compiles or changes the code. Each takes minutes and is a step of scripts/test, or of a longer test:
what they name is checked to be there."""

import functools
import json
import os
import re
import subprocess
from pathlib import Path

from blocks import REPOSITORY, Block


def commands(text: str) -> list[list[str]]:
    """The words of each command, without comments and variables before it."""
    lines = [re.sub(r"(^|\s+)#.*", "", line) for line in text.splitlines()]
    found = [command.split() for line in lines for command in line.split(" && ")]
    return [words[next((at for at, word in enumerate(words) if "=" not in word), 0):] for words in found if words]


def is_for_developers(block: Block) -> bool:
    """Whether every command is cargo, pytest, or a program of the repository."""
    return all(
        words[0] in ("cargo", "pytest") or "pytest" in words or is_of_the_repository(words[1] if words[0] == "cd" else words[0])
        for words in commands(block.text)
    )


def is_of_the_repository(path: str) -> bool:
    return "/" in path and not path.startswith("/") and (REPOSITORY / path).exists()


def check(block: Block) -> None:
    folder = (REPOSITORY / block.page).parent
    for words in commands(block.text):
        if words[0] == "cd":
            folder = REPOSITORY / words[1]
        elif words[0] == "cargo":
            check_cargo(words)
        else:
            check_program(words, folder)


@functools.cache
def packages() -> dict[str, dict]:
    command = ["cargo", "metadata", "--offline", "--no-deps", "--format-version", "1"]
    listed = json.loads(subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True).stdout)
    return {package["name"]: package for package in listed["packages"]}


def check_cargo(words: list[str]) -> None:
    """The package, the binary, the test, the features, the folder, the fuzz target."""
    value = {flag: words[at + 1] for at, flag in enumerate(words[:-1]) if flag.startswith("-")}
    named = value.get("-p", "securecall-cli")
    assert named in packages(), f"there is no package {named}"
    package = packages()[named]
    for flag, kind in (("--bin", "bin"), ("--test", "test"), ("--example", "example")):
        if flag in value:
            everywhere = packages().values() if "--workspace" in words else [package]
            targets = [target["name"] for one in everywhere for target in one["targets"] if kind in target["kind"]]
            assert value[flag] in targets, " ".join(words)
    for feature in re.split("[, ]", value.get("--features", "")):
        assert not feature or feature in package["features"], f"{package['name']} has no feature {feature}"
    if "--path" in value:
        assert (REPOSITORY / value["--path"] / "Cargo.toml").exists(), f"{value['--path']} is no package"
    if "fuzz" in words:
        assert (REPOSITORY / f"fuzz/fuzz_targets/{words[-1]}.rs").exists(), f"no fuzz target {words[-1]}"


def check_program(words: list[str], folder: Path) -> None:
    """A program of the repository, from its root or from the folder of the line, with flags that its source has."""
    if "pytest" in words:
        for file in (word for word in words if word.endswith(".py")):
            assert (folder / file).exists(), f"{folder} has no {file}"
        known = (folder / "conftest.py").read_text() + " -k -s -q -m"
    else:
        program = REPOSITORY / words[0]
        assert os.access(program, os.X_OK), f"{program} is no program"
        known = "".join(source.read_text() for source in [program, *program.parent.glob("comparison/*.py")])
    for flag in (word for word in words[1:] if word.startswith("-")):
        assert flag in known, f"nobody knows {flag} of {' '.join(words)}"
