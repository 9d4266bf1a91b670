"""What packaging/Containerfile says, and an image laid out by it."""

import json
import re
import shlex
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

CONTAINERFILE = Path(__file__).parents[2] / "packaging/Containerfile"


@dataclass
class Stage:
    base: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        """Values of all instructions of this name, with the defaults of the stage's ARGs put in."""
        arguments = dict(value.split("=", 1) for instruction, value in self.instructions if instruction == "ARG")
        return [Template(value).safe_substitute(arguments)
                for instruction, value in self.instructions if instruction == name]

    def one(self, name: str) -> str:
        [value] = self.all(name)
        return value

    def command(self, name: str) -> list[str]:
        """In the form without a shell, which an image without one needs."""
        return json.loads(self.one(name))

    def environment(self) -> dict[str, str]:
        return dict(word.split("=", 1) for value in self.all("ENV") for word in shlex.split(value))

    def health_check(self) -> tuple[dict[str, str], list[str]]:
        """Its options, and the command."""
        options, command = self.one("HEALTHCHECK").split(" CMD ", 1)
        return dict(re.findall(r"--([\w-]+)=(\S+)", options)), json.loads(command)


def stages() -> list[Stage]:
    found: list[Stage] = []
    text = re.sub(r"^\s*#.*\n", "", CONTAINERFILE.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    for line in filter(None, text.splitlines()):
        name, value = line.split(maxsplit=1)
        if name == "FROM":
            found.append(Stage(value))
        else:
            found[-1].instructions.append((name, value.strip()))
    return found


def lay_out(stage: Stage, built: Path, image: Path) -> None:
    """Carries out the COPY lines of the last stage. `built` stands for the root of the stage before it."""
    image.mkdir()
    for value in stage.all("COPY"):
        *flags, source, target = value.split()
        options = dict(flag.removeprefix("--").split("=", 1) for flag in flags)
        assert options.pop("from") == "build" and source.endswith("/")
        user, group = map(int, options.pop("chown", "0:0").split(":"))
        assert not options, f"the test does not know {options}"
        origin, destination = built / source.strip("/"), image / target.strip("/")
        shutil.copytree(origin, destination, dirs_exist_ok=True, symlinks=True)
        for path in origin.rglob("*"):
            shutil.chown(destination / path.relative_to(origin), user, group)
