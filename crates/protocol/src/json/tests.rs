//! The reader compared with serde_json, which defines what JSON and Unicode are.

use proptest::prelude::*;
use serde_json::value::RawValue;

use super::*;

fn read(text: &str) -> Result<&str, NotJson> {
    let mut reader = Reader::new(text);
    reader.skip_space();
    let value = reader.value()?;
    reader.end()?;
    Ok(value.json)
}

fn agrees_with_serde_json(text: &str) {
    let theirs: Option<&RawValue> = serde_json::from_str(text).ok();
    assert_eq!(read(text).ok(), theirs.map(RawValue::get), "{text:?}");
}

#[test]
fn every_byte_of_a_string_counts_wherever_it_stands() {
    for length in 0..100 {
        for at in 0..length {
            for special in ["\"", "\\", "\u{1f}", "\n", "\\u12", "\\u123g", "ä", "\u{7f}", " "] {
                let text = format!("\"{}{special}{}\"", "a".repeat(at), "b".repeat(length - at));
                agrees_with_serde_json(&text);
            }
        }
    }
}

#[test]
fn the_corners_of_the_grammar_are_where_serde_json_has_them() {
    for text in [
        "",
        " ",
        "{}",
        "{ }",
        "[ ]",
        "[,]",
        "[1,]",
        "{,}",
        "{\"a\":1,}",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "0",
        "-0",
        "-",
        "01",
        "1.",
        ".1",
        "1.5",
        "1e",
        "1e5",
        "1E+5",
        "1e-",
        "+1",
        "1e5.2",
        "--1",
        "0x1",
        "true",
        "tru",
        "truee",
        "null ",
        "nul",
        "false",
        "\"\\ud800\"",
        "\"\\x\"",
        "\"a",
        "\"",
        "[1 2]",
        "{\"a\" : [ 1 , { } ] }",
        "[[[]]",
        "[]]",
        "{\"a\":1 \"b\":2}",
        "\u{feff}{}",
        "1 2",
        "NaN",
        "\t\r\n1",
        "\u{b}1",
        "'a'",
        "/**/1",
    ] {
        agrees_with_serde_json(text);
    }
}

/// serde_json reads a string into a `String` if it is Unicode, and only then.
fn is_text_where_serde_json_reads_text(string: &str) {
    let theirs: Option<String> = serde_json::from_str(string).ok();
    let ours = Reader::new(string).value().unwrap();
    assert_eq!(ours.text().as_deref(), theirs.as_deref(), "{string}");
    assert_eq!(ours.is_text(), theirs.is_some(), "{string}");
}

#[test]
fn half_a_surrogate_pair_alone_is_not_text() {
    for escapes in [
        r"\ud800",
        r"\uDBFF",
        r"\udc00",
        r"\udfff",
        r"\udc00\ud800",
        r"\ud800\ud800",
        r"\ud800\ud800\udc00",
        r"\ud800\n",
        r"\ud800\u0041",
        r"\ud800u0041",
        r"\\ud800\\udc00",
        r"\ud800\\udc00",
        r"\ud83d\ude00",
        r"\uDBFF\uDFFF\ud800\udc00",
        r"\ud7ff\ue000",
        r"\u0000\u00e9",
    ] {
        for padding in [0, 1, 7, 8, 40] {
            let (before, behind) = ("a".repeat(padding), "é".repeat(padding));
            is_text_where_serde_json_reads_text(&format!(r#""{before}{escapes}{behind}""#));
        }
    }
}

#[test]
fn a_value_that_is_not_a_string_is_not_text() {
    for text in ["1", "null", "{}", "[]", r#"["\ud800"]"#] {
        let value = Reader::new(text).value().unwrap();
        assert_eq!((value.text(), value.is_text(), value.is_unicode()), (None, false, true));
    }
}

#[test]
fn values_nest_so_deep_and_no_deeper() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(read(&nested(DEPTH_MAX)).is_ok());
    assert!(read(&nested(DEPTH_MAX + 1)).is_err());
    assert!(read(&"[".repeat(1 << 20)).is_err());
    assert!(read(&"{\"\":".repeat(1 << 20)).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn json_is_valid_exactly_if_serde_json_takes_it(
        text in "[ \\[\\]{}\",:\\\\truefalsn0-9.eE+\\-u\u{1}\u{7f}äé😀\n]{0,40}"
    ) {
        agrees_with_serde_json(&text);
    }

    #[test]
    fn text_is_valid_exactly_if_serde_json_takes_it(
        escapes in r#"([a-zé😀]|\\[nt"\\/]|\\u[dD][7-9a-fA-F][0-9a-f]{2}){0,8}"#
    ) {
        is_text_where_serde_json_reads_text(&format!("\"{escapes}\""));
    }

    #[test]
    fn json_with_one_wrong_byte_is_judged_as_by_serde_json(
        keys in prop::collection::vec(".{0,40}", 0..5), at in 0usize..200, byte in 0u8..0x80,
    ) {
        let object: serde_json::Map<_, _> =
            keys.iter().map(|key| (key.clone(), serde_json::json!([key, {"n": -1.5e3}, null]))).collect();
        let text = serde_json::to_string_pretty(&object).unwrap();
        agrees_with_serde_json(&text);
        let mut bytes = text.into_bytes();
        if let Some(place) = bytes.get_mut(at) {
            *place = byte;
        }
        if let Ok(text) = String::from_utf8(bytes) {
            agrees_with_serde_json(&text);
        }
    }
}
