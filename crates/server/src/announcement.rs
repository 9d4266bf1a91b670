//! The announcement on standard output when the server is ready: the version, the addresses, and
//! how to stop it.

use std::fmt::{self, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::settings::LogFormat;

/// The time that `docker stop` waits before it kills, the shortest of common supervisors.
const DOCKER_STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// The state of a server that has just started to listen.
#[derive(Debug)]
pub(crate) struct Announcement {
    /// The address of the listener for clients, with its actual port.
    pub(crate) listen: SocketAddr,
    pub(crate) tls: bool,
    /// The address of the admin listener, or `None` if there is none.
    pub(crate) admin: Option<SocketAddr>,
    pub(crate) data_dir: PathBuf,
    /// The configuration file, or `None` if none was read.
    pub(crate) settings_file: Option<PathBuf>,
    pub(crate) drain_timeout: Duration,
}

impl Announcement {
    /// Formats the announcement like the log: as text for people, or as one JSON object.
    pub(crate) fn formatted(&self, format: LogFormat, now: SystemTime) -> String {
        match format {
            LogFormat::Text => self.to_string(),
            LogFormat::Json => format!("{}\n", self.to_json(now)),
        }
    }

    /// Returns an object with the members of a log line, so that one collector can parse both.
    fn to_json(&self, now: SystemTime) -> Value {
        json!({
            "timestamp": humantime::format_rfc3339_micros(now).to_string(),
            "level": "INFO",
            "fields": {
                "message": format!("listening on {}", self.listen),
                "version": env!("CARGO_PKG_VERSION"),
                "listen": self.listen,
                "url": self.url("ws", "/signal"),
                "metrics": self.admin.map(metrics),
                "data_dir": self.data_dir,
                "settings_file": self.settings_file,
                "drain_timeout": humantime::format_duration(self.drain_timeout).to_string(),
            },
            "target": module_path!(),
        })
    }

    /// Returns a URL that works on this machine. `scheme` is the one without TLS.
    fn url(&self, scheme: &str, path: &str) -> String {
        let s = if self.tls { "s" } else { "" };
        format!("{scheme}{s}://{}{path}", reachable(self.listen))
    }
}

impl fmt::Display for Announcement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { listen, data_dir, .. } = self;
        let all = if listen.ip().is_unspecified() { " (all addresses)" } else { "" };
        writeln!(f, "securecall {}", env!("CARGO_PKG_VERSION"))?;
        writeln!(f, "listening on {listen}{all}")?;
        writeln!(f, "from this machine: {}", self.url("ws", "/signal"))?;
        if let Some(admin) = self.admin {
            writeln!(f, "metrics on {}", metrics(admin))?;
        }
        writeln!(f, "data in {}", data_dir.display())?;
        if let Some(file) = &self.settings_file {
            writeln!(f, "settings in {}", file.display())?;
        }
        let drain_timeout = humantime::format_duration(self.drain_timeout);
        writeln!(
            f,
            "stop with Ctrl-C or SIGTERM: clients reconnect, it ends within {drain_timeout}"
        )?;
        if self.drain_timeout >= DOCKER_STOP_TIMEOUT {
            writeln!(f, "a supervisor must wait that long: docker stop kills after 10s")?;
        }
        f.write_char('\n')?;
        // The certificate is for a public name, not for this address.
        let (insecure, no_check) = if self.tls { ("-k ", "-n ") } else { ("", "") };
        writeln!(f, "try: curl {insecure}{}", self.url("http", "/health"))?;
        writeln!(f, "     npx wscat {no_check}-c {}", self.url("ws", "/signal"))?;
        writeln!(f, r#"     > {{"type":"REGISTER","payload":{{"clientId":"alice"}}}}"#)
    }
}

fn metrics(admin: SocketAddr) -> String {
    format!("http://{}/metrics", reachable(admin))
}

/// Replaces the unspecified address with loopback, which can be connected to.
#[must_use]
pub fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announcement(listen: &str) -> Announcement {
        Announcement {
            listen: listen.parse().unwrap(),
            tls: false,
            admin: None,
            data_dir: "/var/lib/securecall".into(),
            settings_file: None,
            drain_timeout: Duration::from_secs(9),
        }
    }

    #[test]
    fn the_version_comes_first_and_an_address_that_works_from_here() {
        let text = announcement("0.0.0.0:8080").to_string();
        let lines: Vec<_> = text.lines().take(5).collect();
        let version = format!("securecall {}", env!("CARGO_PKG_VERSION"));
        assert_eq!(
            lines,
            [
                version.as_str(),
                "listening on 0.0.0.0:8080 (all addresses)",
                "from this machine: ws://127.0.0.1:8080/signal",
                "data in /var/lib/securecall",
                "stop with Ctrl-C or SIGTERM: clients reconnect, it ends within 9s",
            ]
        );
    }

    #[test]
    fn a_drain_longer_than_the_timeout_of_docker_stop_is_announced() {
        let with = |seconds| {
            let drain_timeout = Duration::from_secs(seconds);
            Announcement { drain_timeout, ..announcement("0.0.0.0:8080") }.to_string()
        };
        assert!(with(10).contains("ends within 10s\na supervisor must wait that long"));
        assert!(!with(9).contains("must wait"));
    }

    #[test]
    fn one_address_is_not_all_and_ipv6_has_brackets() {
        let text = announcement("127.0.0.2:80").to_string();
        assert!(text.contains("listening on 127.0.0.2:80\n"), "{text}");
        let text = announcement("[::]:8080").to_string();
        assert!(text.contains("listening on [::]:8080 (all addresses)\n"), "{text}");
        assert!(text.contains("try: curl http://[::1]:8080/health\n"), "{text}");
    }

    #[test]
    fn with_tls_urls_are_wss_and_examples_check_no_name() {
        let text = Announcement { tls: true, ..announcement("0.0.0.0:443") }.to_string();
        assert!(text.contains("wss://127.0.0.1:443/signal"), "{text}");
        assert!(text.contains("curl -k https://") && text.contains("wscat -n -c wss://"), "{text}");
    }

    #[test]
    fn as_json_it_is_one_line_like_those_of_the_log() {
        let announcement = Announcement {
            admin: Some("0.0.0.0:9090".parse().unwrap()),
            settings_file: Some("/etc/securecall/securecall.toml".into()),
            ..announcement("0.0.0.0:8080")
        };
        let line = announcement.formatted(LogFormat::Json, SystemTime::UNIX_EPOCH);
        assert_eq!(line.matches('\n').count(), 1);
        let object: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(object["timestamp"], "1970-01-01T00:00:00.000000Z");
        assert_eq!(object["level"], "INFO");
        assert_eq!(object["fields"]["listen"], "0.0.0.0:8080");
        assert_eq!(object["fields"]["url"], "ws://127.0.0.1:8080/signal");
        assert_eq!(object["fields"]["metrics"], "http://127.0.0.1:9090/metrics");
        assert_eq!(object["fields"]["data_dir"], "/var/lib/securecall");
        assert_eq!(object["fields"]["settings_file"], "/etc/securecall/securecall.toml");
        assert_eq!(object["fields"]["drain_timeout"], "9s");
    }
}
