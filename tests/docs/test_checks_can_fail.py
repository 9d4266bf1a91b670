"""What is done with a block by its language notices a block that is wrong."""

import pytest
import yaml

from blocks import Block
from kinds import KINDS

WRONG = {
    "a command that fails, before one that does not": ("sh", "false\ntrue\n"),
    "a command that is not there": ("sh", "securecal keys show\n"),
    "a flag that is not there": ("sh", "securecall --no-such-flag\n"),
    "a folder that nobody has made": ("sh", "securecall keys new carol --identity /proc/none/identity.json\n"),
    "no such package": ("sh", "cargo run -p securecall-simm\n"),
    "no such program beside one": ("sh", "cargo run --release\nscripts/tests\n"),
    "no such flag of a program": ("sh", "scripts/test --quickly\n"),
    "other words": ("console", "$ securecall keys new carol\nclient id    dave\n"),
    "a line left out": ("console", "$ printf 'one\\ntwo\\nthree\\n'\none\nthree\n"),
    "no JSON": ("json", '{"a": 1,}\n'),
    "a field that no message has": ("json", '{"type": "CALL_END", "payload": {"id": "7"}}\n'),
    "no such type": ("json", '{"type": "CALL_PAUSE", "payload": {"callId": "7"}}\n'),
    "no such setting": ("toml", "lissten = 1\n"),
    "no such feature": ("toml", '[dependencies]\nsecurecall-client = { path = "../x/crates/client", features = ["pear"] }\n'),
    "no such crate": ("toml", '[dependencies]\nsecurecall-klient = { path = "../x/crates/klient" }\n'),
    "no YAML": ("yaml", "a: [\n"),
    "no Prometheus": ("yaml", "scrape_configs:\n  - jobname: x\n"),
    "Rust of a page that no crate includes": ("rust", "fn main() {}\n"),
    "an arrow that is none": ("mermaid", "sequenceDiagram\n    A~~>B: x\n"),
    "a part that is not ended": ("mermaid", "sequenceDiagram\n    par x\n    A->>B: x\n"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_block_is_noticed(name, home):
    language, text = WRONG[name]
    with pytest.raises((AssertionError, ValueError, yaml.YAMLError)):
        KINDS[language](Block("docs/none.md", 1, language, "", text, ""), home)
