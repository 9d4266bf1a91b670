"""examples/compose as Docker Compose reads it."""

import re
from pathlib import Path

import yaml

FOLDER = Path(__file__).parents[2] / "examples/compose"
VARIABLE = re.compile(r"\$\{(\w+)(?::\?([^}]*))?\}")


class Missing(Exception):
    """A variable that has to be set is not; with what Compose would say."""


def text() -> str:
    return (FOLDER / "compose.yaml").read_text()


def example_variables() -> dict[str, str]:
    lines = (FOLDER / "example.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def interpolated(variables: dict[str, str]) -> dict:
    """The file as it counts with these variables, by the rules of the Compose specification that it uses."""
    def value(found: re.Match) -> str:
        if found[1] not in variables:
            raise Missing(found[2] or found[1])
        return variables[found[1]]

    return walk(yaml.safe_load(text()), lambda string: VARIABLE.sub(value, string))


def walk(node, change):
    match node:
        case dict():
            return {key: walk(value, change) for key, value in node.items()}
        case list():
            return [walk(value, change) for value in node]
        case str():
            return change(node)
    return node
