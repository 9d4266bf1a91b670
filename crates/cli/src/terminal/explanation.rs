//! Explanations of failed connections.

use securecall_client::Disconnect;

/// Describes why there is no connection, with the usual remedy.
pub(crate) fn explain(cause: &Disconnect) -> String {
    let hint = match cause {
        Disconnect::Http(404) => "is the path right? It is /signal, unless a proxy renames it",
        Disconnect::Http(426 | 400) => {
            "a proxy in front of the server does not forward WebSocket upgrades"
        }
        Disconnect::Http(429) => {
            "too many connections from this address: wait, and see --trusted-proxies"
        }
        Disconnect::Http(502 | 504) => "the proxy cannot reach the server",
        Disconnect::Http(503) => "the server is full, or is stopping",
        Disconnect::Network(text) if text.contains("refused") => "is it running, and on that port?",
        Disconnect::Network(text) if text.contains("lookup") || text.contains("resolve") => {
            "is the name right?"
        }
        Disconnect::Network(text)
            if text.contains("before message completed") || text.contains("invalid HTTP") =>
        {
            return "the answer is not HTTP: another program, or a port that speaks TLS (https://, \
                    wss://)?"
                .to_owned();
        }
        Disconnect::Closed(4001) => "another client registered this id: try again",
        _ => return cause.to_string(),
    };
    format!("{cause}; {hint}")
}
