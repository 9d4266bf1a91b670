//! A line of input, and the command in it.

use std::path::PathBuf;

/// A parsed line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Text(String),
    /// `/send FILE`
    Send(PathBuf),
    /// `/call CLIENT_ID`, as it was typed.
    Call(String),
    Quit,
    Help,
    Nothing,
}

impl Line {
    /// Parses a line. A slash begins a command; two slashes send a text that begins with one.
    pub(super) fn parse(line: &str) -> Self {
        let Some(command) = line.strip_prefix('/') else { return Self::text(line) };
        let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
        match (name, rest.trim()) {
            ("quit", "") => Self::Quit,
            ("send", path) if !path.is_empty() => Self::Send(typed_path(path)),
            ("call", who) if !who.is_empty() => Self::Call(who.to_owned()),
            _ if command.starts_with('/') => Self::text(command),
            _ => Self::Help,
        }
    }

    pub(super) fn text(text: &str) -> Self {
        if text.is_empty() { Self::Nothing } else { Self::Text(text.to_owned()) }
    }
}

/// Parses a file name as a shell does, with quotes, backslashes and `~`. Spaces alone need no
/// quotes. A name that a shell would not accept is taken literally.
fn typed_path(text: &str) -> PathBuf {
    let quoted = shlex::split(text).filter(|words| words.len() == 1);
    let name = quoted.and_then(|words| words.into_iter().next());
    in_home(text, name.unwrap_or_else(|| text.to_owned()))
}

/// Replaces a `~` that is not quoted with the home folder.
fn in_home(text: &str, name: String) -> PathBuf {
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|_| text.starts_with('~'));
    match (home, name.strip_prefix('~')) {
        (Some(home), Some("")) => home,
        (Some(home), Some(rest)) if rest.starts_with('/') => {
            home.join(rest.trim_start_matches('/'))
        }
        _ => name.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(text: &str) -> Line {
        Line::Text(text.to_owned())
    }

    #[test]
    fn lines_are_text_or_commands() {
        assert_eq!(Line::parse("hello /quit"), say("hello /quit"));
        assert_eq!(Line::parse("/quit"), Line::Quit);
        assert_eq!(Line::parse("/call  bob "), Line::Call("bob".to_owned()));
        assert_eq!(Line::parse("//etc/passwd"), say("/etc/passwd"));
        assert_eq!(Line::parse(""), Line::Nothing);
        for line in ["/send", "/send  ", "/call", "/help", "/quit now", "/"] {
            assert_eq!(Line::parse(line), Line::Help, "{line}");
        }
    }

    #[test]
    fn a_file_is_named_as_in_a_shell() {
        let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
        let named = [
            (" my file.txt ", PathBuf::from("my file.txt")),
            ("'my file.txt'", "my file.txt".into()),
            ("\"my file.txt\"", "my file.txt".into()),
            (r"my\ file.txt", "my file.txt".into()),
            ("it's.txt", "it's.txt".into()),
            ("'~'", "~".into()),
            ("~bob/a", "~bob/a".into()),
            ("~", home.clone()),
            ("~/a b.txt", home.join("a b.txt")),
            ("~/'a b.txt'", home.join("a b.txt")),
        ];
        for (text, path) in named {
            assert_eq!(Line::parse(&format!("/send {text}")), Line::Send(path), "{text}");
        }
    }
}
