"""The software bill of materials and the licence texts: valid, complete, and the same each time."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import cyclonedx.schema
import fastjsonschema

from conftest import packaging
from driver.server import REPOSITORY, binary

# Linked in, and not: a procedural macro, a build script's, a test's.
LINKED = {"rustls", "aws-lc-sys", "tikv-jemalloc-sys", "redb", "tokio", "securecall-server"}
NOT_LINKED = {"serde_derive", "clap_derive", "cc", "proptest", "divan"}


@pytest.fixture(scope="module")
def text():
    return packaging("sbom")


@pytest.fixture(scope="module")
def bill(text):
    return json.loads(text)


def test_it_is_what_the_specification_calls_a_bill(bill):
    folder = Path(cyclonedx.schema.__file__).parent / "_res"

    def load(url: str):
        return json.loads((folder / url.rsplit("/", 1)[1]).read_text())

    check = fastjsonschema.compile(load("/bom-1.5.SNAPSHOT.schema.json"), handlers={"http": load}, use_formats=False)
    check(bill)
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        check({**bill, "components": [{"type": "thing", "name": "unknown type"}]})


def test_it_names_what_is_linked_in_and_nothing_else(bill):
    names = {component["name"] for component in bill["components"]}
    assert LINKED <= names and not NOT_LINKED & names


def test_versions_and_checksums_are_those_of_the_lock_file(bill):
    lock = tomllib.loads((REPOSITORY / "Cargo.lock").read_text())
    locked = {(p["name"], p["version"]): p.get("checksum") for p in lock["package"]}
    for component in bill["components"]:
        [checksum] = [h["content"] for h in component.get("hashes", [])] or [None]
        assert locked[component["name"], component["version"]] == checksum


def test_every_dependency_is_a_component(bill):
    root = bill["metadata"]["component"]["bom-ref"]
    known = {root, *(component["bom-ref"] for component in bill["components"])}
    reached, waiting = set(), {root}
    needs = {entry["ref"]: set(entry["dependsOn"]) for entry in bill["dependencies"]}
    while waiting:
        reached |= waiting
        waiting = set().union(*(needs[ref] for ref in waiting)) - reached
    assert reached == known


def test_crates_whose_paths_are_in_the_binary_are_in_the_bill(bill):
    """Panics name the source file they stand in: a crate that shows there is linked in."""
    paths = re.compile(rb"/registry/src/[^/]+/([a-zA-Z0-9_-]+?)-(\d+\.\d+\.\d+[0-9A-Za-z.+-]*)/")
    in_binary = {(name.decode(), version.decode()) for name, version in paths.findall(binary().read_bytes())}
    listed = {(component["name"], component["version"]) for component in bill["components"]}
    assert len(in_binary) > 20
    assert not in_binary - listed


def test_the_same_sources_give_the_same_bytes(text):
    assert packaging("sbom") == text


def test_every_crate_of_others_has_its_licence_text(bill):
    notices = packaging("notices")
    for component in bill["components"]:
        if "hashes" in component:
            assert f"{component['name']} {component['version']} (" in notices
    assert "Permission is hereby granted" in notices and "Apache License" in notices
