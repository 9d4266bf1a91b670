"""`console` blocks: commands after `$`, and what they print, of which some differs from run to run."""

import re

# What differs, as it stands on the pages after re.escape, and what may stand in its place.
VARIES = [
    (r"\d{5}(\\ \d{5}){7}", r"\\d{5}( \\d{5}){7}"),  # a fingerprint
    (r"\d{3}\\ \d{4}", r"\\d{3} \\d{4}"),  # the digits to compare
    (r"(\\ )*\d+\\\.\d\\ ms", r" +\\d+\\.\\d ms"),
    (r"/home/\w+", r"\\S+"),
    (r"\d{10}:", r"\\d{10}:"),  # when a credential expires
    (r"[A-Za-z0-9+/]{27}=", r"[A-Za-z0-9+/]{27}="),  # a credential
    (r"j0lhhl\.\*", r"[\\w-]+"),  # a call id
]


def commands(text: str) -> list[tuple[str, str]]:
    """Each command of a transcript with what it prints."""
    found: list[tuple[str, str]] = []
    for line in text.splitlines(keepends=True):
        if line.startswith("$ "):
            found.append((line[2:], ""))
        elif found and not found[-1][1] and found[-1][0].endswith("\\\n"):
            found[-1] = (found[-1][0] + line, "")
        else:
            assert found, f"a transcript begins with a command after $: {line!r}"
            found[-1] = (found[-1][0], found[-1][1] + line)
    return found


def pattern(printed: str) -> re.Pattern:
    """A line of `…` alone stands for any lines, and within a line for anything."""
    whole = ""
    for line in printed.splitlines():
        if line == "…":
            whole += r"(?:.*\n)*?"
            continue
        whole += line_pattern(line) + "\n"
    return re.compile(whole)


def line_pattern(line: str) -> str:
    expected = re.escape(line).replace("…", ".*")
    for written, varied in VARIES:
        expected = re.sub(written, varied, expected)
    return expected
