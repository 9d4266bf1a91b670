"""The two commands of the README are what it says they are."""

from blocks import REPOSITORY, all_blocks
from developers import packages


def test_the_first_starts_the_server_and_the_second_is_what_the_forge_runs():
    [two] = [block for block in all_blocks() if block.page == "README.md" and block.text.startswith("cargo run --release ")]
    assert two.text.splitlines()[1].startswith("scripts/test ")
    assert 'default-members = ["crates/cli"]' in (REPOSITORY / "Cargo.toml").read_text()
    binaries = [target["name"] for target in packages()["securecall-cli"]["targets"] if "bin" in target["kind"]]
    assert binaries == ["securecall"]
    assert "scripts/test" in (REPOSITORY / ".ci/run").read_text()
