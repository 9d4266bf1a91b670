//! Every default with its unit and the arithmetic behind it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use securecall_protocol::MessageClass;

use super::Rate;

const KIB: usize = 1024;

/// All IPv4 interfaces, an unprivileged port. TLS is usually in front of it.
pub const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 8080);
/// Relative to the working directory, so that trying it out needs no privileges.
pub const DATA_DIR: &str = "securecall-data";
/// A line for each start, stop and problem, and none for each message.
pub const LOG: &str = "info";

/// Let's Encrypt: free, and trusted by every browser.
pub const ACME_DIRECTORY: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// An offer with audio, video and all candidates is 5–10 KiB of SDP. Escaped as JSON, sealed and
/// in base64 (× 4/3) it is 8–16 KiB: four times that.
pub const MESSAGE_BYTES_MAX: usize = 64 * KIB;
/// Enough time for a person to confirm a key on the device between connecting and REGISTER.
pub const REGISTER_TIMEOUT: Duration = Duration::from_secs(60);
/// NATs of mobile networks forget an idle TCP connection after 30 s at the earliest, proxies after
/// 60 s: one ping in time for the shorter, with 5 s to spare.
pub const PING_AFTER: Duration = Duration::from_secs(25);
/// 25 s to the ping, 17.5 s to a second one, and as long for its pong: longer than any stall of a
/// radio link that recovers.
pub const SILENCE_TIMEOUT: Duration = Duration::from_secs(60);
/// A request head fits into one or two packets. A client that needs 10 s for it blocks a slot on
/// purpose.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// A browser sends all cookies of the site with the upgrade. nginx lets heads of 4 × 8 KiB pass,
/// HAProxy and Node 16 KiB, so this accepts whatever passes the usual proxies. All 512 requests in
/// progress take 512 × 32 KiB = 16 MiB.
pub const REQUEST_HEAD_BYTES_MAX: usize = 32 * KIB;
/// As in Apache. Browsers send 15 to 20, and each of several proxies adds up to 10. A field takes
/// 32 bytes while the head is read.
pub const REQUEST_FIELDS_MAX: usize = 100;
/// An idle connection costs 1–2 KiB here and 3 KiB in the kernel: 20,000 × 5 KiB = 100 MB, and
/// 1 in 100 with a full outbox adds 200 × 256 KiB = 51 MB. A server with 512 MB holds that.
pub const CONNECTIONS_MAX: usize = 20_000;
/// An office, or a block of flats behind one address of a carrier.
pub const CONNECTIONS_PER_ADDRESS_MAX: u32 = 256;
/// All 256 connections of an address may come back at once after a restart…
pub const CONNECTION_BURST: u32 = 256;
/// …and again 8 s later (256 ÷ 32/s).
pub const CONNECTION_RATE: f64 = 32.0;
/// TLS handshakes of an address for each new connection that it may open. Beyond them it is
/// disconnected without an answer, so a client that is up to twice too fast still reads 429. 64
/// handshakes a second of 0.3 ms are 2 % of a core; a burst of 512 is 0.15 s of one.
pub const HANDSHAKES_PER_CONNECTION: u32 = 2;
/// Four of the largest messages, or a peer's whole burst of 400 candidates of 300 bytes, twice.
pub const OUTBOX_BYTES_MAX: usize = 256 * KIB;

/// The defaults of the message classes, with the arithmetic, are in `core`, where clients use them
/// too.
pub const CALLS_RATE: Rate = Rate::default_of(MessageClass::Calls);
/// For ICE_CANDIDATE, CALL_SIGNAL and CALL_RINGING, and the same for ACK.
pub const CANDIDATES_RATE: Rate = Rate::default_of(MessageClass::Candidates);
/// For PKD_REGISTER and PKD_LOOKUP.
pub const DIRECTORY_RATE: Rate = Rate::default_of(MessageClass::Directory);
/// For everything else.
pub const OTHER_RATE: Rate = Rate::default_of(MessageClass::Other);

/// Ten rings of 6 s: as long as telephones ring.
pub const RING_TIMEOUT: Duration = Duration::from_secs(60);
/// Wi-Fi to cellular takes some 10 s; reconnects after 1 + 2 + 4 + 8 = 15 s still are in time.
pub const GRACE: Duration = Duration::from_secs(30);
/// An active one, a waiting one, and a full-mesh conference with 14 others.
pub const CALLS_PER_SESSION_MAX: usize = 16;
/// Four callers who ring twice each: as many as a person can tell apart on a screen.
pub const UNANSWERED_MAX: usize = 8;
/// As much as the outbox holds, because all deferred mail is written at once when the client is
/// back.
pub const WAITING_BYTES_MAX: usize = OUTBOX_BYTES_MAX;

/// Ten full ICE gathers of 100 candidates.
pub const WAITING_COUNT_MAX: usize = 1_000;
/// Four acknowledgements of a client that acknowledges every 30 s, with its heartbeat.
pub const WAITING_AGE_MAX: Duration = Duration::from_secs(120);

/// A public key of X25519 with X-Wing beside it is 1.25 KiB, 1.7 KiB in base64: twice that.
pub const KEY_BYTES_MAX: usize = 4 * KIB;

/// The largest record takes 8.3 KB of disk, one of 200 bytes half a KB: 4.2 GB at worst, 250 MB
/// usually.
pub const RECORDS_MAX: u64 = 500_000;
/// All 256 connections of an address may register a first key at once, and then one in 10 s: at
/// worst 2 MB at once and 72 MB a day, so one address needs two months to fill the directory.
pub const NEW_KEYS_RATE: Rate = Rate { burst: CONNECTIONS_PER_ADDRESS_MAX, per_second: 0.1 };

/// A weekend and a day: long enough that an owner who uses the id sees it, and short enough for somebody
/// who has lost everything.
pub const RESET_DELAY: Duration = Duration::from_secs(72 * 3600);

/// Only the allocation is checked against it, and clients request new credentials: an hour outlasts
/// every call setup, and limits the value of a leaked credential.
pub const TURN_TTL: Duration = Duration::from_secs(3600);

/// The header that nearly all proxies send.
pub const CLIENT_ADDRESS_HEADER: &str = "x-forwarded-for";

/// 20,000 connections in 4 s are 5,000 TLS handshakes a second elsewhere, at 0.3 ms each one and a
/// half cores. Where the next server needs the data folder of this one, a longer period only
/// keeps clients without a server for longer.
pub const DRAIN_PERIOD: Duration = Duration::from_secs(4);
/// The period and 5 s for the last close frames: 1 s less than the 10 s after which `docker stop`
/// kills. Others wait longer (Kubernetes and Heroku 30 s, systemd 90 s).
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(9);
