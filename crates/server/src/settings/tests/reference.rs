//! `docs/configuration.md` and `examples/securecall.toml` are generated from the declarations.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use super::super::{Declaration, Settings, declarations};
use super::World;

const BEGIN: &str =
    "<!-- made from the types: UPDATE=1 cargo test -p securecall-server reference -->\n";
const END: &str = "<!-- end -->\n";

#[test]
fn the_reference_names_every_setting_as_it_is() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let written = fs::read_to_string(&path).unwrap();
    let (before, rest) = written.split_once(BEGIN).expect("the mark where the tables begin");
    let (_, after) = rest.split_once(END).expect("the mark where the tables end");
    let current = format!("{before}{BEGIN}{}{END}{after}", tables());
    assert_current(&path, &written, &current);
}

#[test]
fn the_sample_file_of_the_reference_has_every_setting_with_its_default() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/securecall.toml");
    let current = World::new().load().unwrap().to_sample_file();
    assert_current(&path, &fs::read_to_string(&path).unwrap_or_default(), &current);
    for Declaration { key, .. } in declarations() {
        let (_, name) = key.split_once('.').unwrap_or(("", &key));
        assert!(current.contains(&format!("\n#{name} = ")), "{key} is not in it");
    }
    let loaded = World::new().file(&current).load().unwrap().settings;
    let defaults = World::new().load().unwrap().settings;
    assert_eq!(Settings { file: None, ..loaded }, defaults);
}

/// Compares a generated file with the present one. With UPDATE in the environment it rewrites the
/// file.
#[track_caller]
fn assert_current(path: &Path, written: &str, current: &str) {
    if env::var_os("UPDATE").is_some() {
        fs::write(path, current).unwrap();
    } else {
        assert!(written == current, "stale: UPDATE=1 cargo test -p securecall-server reference");
    }
}

fn tables() -> String {
    let mut tables = String::new();
    let mut section = String::new();
    for declaration in declarations() {
        if declaration.section != section {
            section.clone_from(&declaration.section);
            write!(tables, "\n### {section}\n\n{HEAD}").unwrap();
        }
        tables += &row(&declaration);
    }
    tables + "\n"
}

const HEAD: &str = "\
| in the file | flag | environment | form | default | meaning |
|---|---|---|---|---|---|
";

fn row(declaration: &Declaration) -> String {
    let Declaration { key, flag, variable, unit, meaning, .. } = declaration;
    let form = match &declaration.choices[..] {
        [] => format!("`{unit}`"),
        choices => choices.iter().map(|c| format!("`{c}`")).collect::<Vec<_>>().join(" or "),
    };
    let default =
        declaration.default.as_ref().map_or("none".to_owned(), |text| format!("`{text}`"));
    format!("| `{key}` | `--{flag}` | `{variable}` | {form} | {default} | {meaning} |\n")
}
