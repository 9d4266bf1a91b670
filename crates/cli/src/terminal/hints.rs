//! Explanations of failed connections.

use securecall_client::Disconnect;

/// Describes why there is no connection, with the usual remedy.
pub(crate) fn explain(cause: &Disconnect) -> String {
    let hint = match cause {
        Disconnect::Http(404) => "is the path right? It is /signal, unless a proxy renames it",
        Disconnect::Http(426 | 400) => {
            "something before the server does not pass WebSocket upgrades on"
        }
        Disconnect::Http(429) => {
            "too many connections from this address: wait, and see --trusted-proxies"
        }
        Disconnect::Http(502 | 504) => "the proxy does not reach the server",
        Disconnect::Http(503) => "the server is full, or stops",
        Disconnect::Network(text) if text.contains("refused") => "does it run, and on that port?",
        Disconnect::Network(text) if text.contains("lookup") || text.contains("resolve") => {
            "is the name right?"
        }
        Disconnect::Closed(4001) => "another client took the id: try again",
        _ => return cause.to_string(),
    };
    format!("{cause}; {hint}")
}
