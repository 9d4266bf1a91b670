//! docs/operations-monitoring.md: its table is generated from the declarations, and it must explain
//! each value of each label.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use super::families::{FAMILIES, Family, Samples};

const BEGIN: &str =
    "<!-- made from the declarations: UPDATE=1 cargo test -p securecall-server documented -->\n";
const END: &str = "<!-- end -->\n";

fn page_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations-monitoring.md")
}

#[test]
fn the_page_has_every_metric_with_its_help() {
    let written = fs::read_to_string(page_path()).unwrap();
    let (before, rest) = written.split_once(BEGIN).expect("the mark where the table begins");
    let (_, after) = rest.split_once(END).expect("the mark where the table ends");
    let current = format!("{before}{BEGIN}{}{END}{after}", table());
    if env::var_os("UPDATE").is_some() {
        fs::write(page_path(), current).unwrap();
    } else {
        assert!(written == current, "stale: UPDATE=1 cargo test -p securecall-server documented");
    }
}

#[test]
fn the_page_names_every_value_of_every_label() {
    let page = fs::read_to_string(page_path()).unwrap();
    for Family { name, samples, .. } in FAMILIES {
        let Samples::Each { label, values, .. } = samples else { continue };
        for value in values().iter().filter(|_| *label != "version") {
            assert!(page.contains(&format!("`{value}`")), "{name}{{{label}}}: {value}");
        }
    }
}

#[test]
fn names_are_as_prometheus_wants_them() {
    for (place, Family { name, help, .. }) in FAMILIES.iter().enumerate() {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        assert!(name.bytes().all(plain), "{name}");
        assert!(
            !name.ends_with("_total") && !name.ends_with("_info"),
            "{name}: a suffix of samples"
        );
        assert!(!help.is_empty() && !help.contains(['\\', '\n', '|']), "{name}");
        assert!(FAMILIES[..place].iter().all(|other| other.name != *name), "{name} is there twice");
    }
}

fn table() -> String {
    let mut table = "| metric | type | meaning |\n|---|---|---|\n".to_owned();
    for Family { name, kind, help, samples } in FAMILIES {
        let suffix = kind.suffix();
        let label = match samples {
            Samples::One(_) => String::new(),
            Samples::Each { label, .. } => format!("{{{label}}}"),
        };
        writeln!(table, "| `{name}{suffix}{label}` | {} | {help} |", kind.as_str()).unwrap();
    }
    table
}
