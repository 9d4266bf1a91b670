//! TCP to a name with several addresses, of which some may not answer: RFC 8305, "Happy Eyeballs".
//!
//! Addresses are tried in the order that the system gives them (RFC 6724), with the two families in
//! turn. An attempt that is neither made nor refused after 250 ms goes on, and the next one begins
//! beside it. The first connection counts; the other attempts are given up.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

/// The "Connection Attempt Delay" that RFC 8305 section 5 recommends.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);
/// Time for the name and all attempts together. The machine gives a connection 15 seconds,
/// with TLS and the upgrade; what is said here can be said better than that it took too long.
const TIMEOUT: Duration = Duration::from_secs(12);
/// A name with more addresses than this is not served better by trying them all.
const ADDRESSES_MAX: usize = 16;

/// Connects to one of the addresses of a host.
///
/// # Errors
/// The name has none, no attempt came to anything (then what became of the last one), or it takes
/// longer than 12 seconds.
pub(super) async fn dial(host: &str, port: u16) -> io::Result<TcpStream> {
    let dialing = async {
        let addresses: Vec<_> = lookup_host((host, port)).await?.take(ADDRESSES_MAX).collect();
        race(families_in_turn(addresses)).await
    };
    let no_answer = |_| io::Error::new(io::ErrorKind::TimedOut, "no answer from any address");
    timeout(TIMEOUT, dialing).await.map_err(no_answer)?
}

/// The first address stays the first; where there are others of the other family, every second one
/// is of that (RFC 8305 section 4).
fn families_in_turn(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_ipv6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (preferred, other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_ipv6);
    let (mut preferred, mut other) = (preferred.into_iter(), other.into_iter());
    let mut in_turn = Vec::new();
    loop {
        let pair = [preferred.next(), other.next()];
        if pair == [None, None] {
            return in_turn;
        }
        in_turn.extend(pair.into_iter().flatten());
    }
}

async fn race(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut addresses = addresses.into_iter();
    let mut attempts = FuturesUnordered::new();
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    loop {
        attempts.extend(addresses.next().map(TcpStream::connect));
        let finished = match addresses.len() {
            0 => Ok(attempts.next().await),
            _ => timeout(ATTEMPT_DELAY, attempts.next()).await,
        };
        match finished {
            Ok(Some(Ok(stream))) => return Ok(stream),
            Ok(Some(Err(error))) => failure = error,
            Ok(None) => return Err(failure),
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Instant;

    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    /// A listener whose backlog is full: Linux drops what else wants to connect, as a firewall
    /// does. It does so for as long as what is returned lives.
    async fn swallowing() -> (SocketAddr, TcpListener, Vec<TcpStream>) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::new(127, 0, 0, 2), 0).into()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut waiting = Vec::new();
        for _ in 0..16 {
            match timeout(ATTEMPT_DELAY, TcpStream::connect(address)).await {
                Ok(stream) => waiting.push(stream.unwrap()),
                Err(_) => return (address, listener, waiting),
            }
        }
        panic!("the backlog is not full");
    }

    async fn listening() -> (SocketAddr, TcpListener) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        (listener.local_addr().unwrap(), listener)
    }

    #[tokio::test]
    async fn an_address_that_swallows_packets_delays_the_next_one_by_a_moment() {
        let (first, _listener, _waiting) = swallowing().await;
        let (second, _accepts) = listening().await;
        let began = Instant::now();
        let stream = race(vec![first, second]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), second);
        let waited = began.elapsed();
        assert!(waited >= ATTEMPT_DELAY && waited < 8 * ATTEMPT_DELAY, "{waited:?}");
    }

    #[tokio::test]
    async fn a_refused_attempt_is_followed_by_the_next_one_at_once() {
        let (refusing, listener) = listening().await;
        drop(listener);
        let (second, _accepts) = listening().await;
        let began = Instant::now();
        let stream = race(vec![refusing, second]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), second);
        assert!(began.elapsed() < ATTEMPT_DELAY, "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn a_slow_first_address_still_counts_when_the_others_refuse() {
        let (refusing, listener) = listening().await;
        drop(listener);
        let (first, swallower, waiting) = swallowing().await;
        let raced = tokio::spawn(race(vec![first, refusing]));
        tokio::time::sleep(2 * ATTEMPT_DELAY).await;
        // There is room again: the next SYN, a second after the first, is answered.
        drop(waiting);
        for _ in 0..2 {
            swallower.accept().await.unwrap();
        }
        assert_eq!(raced.await.unwrap().unwrap().peer_addr().unwrap(), first);
    }

    #[tokio::test]
    async fn what_became_of_the_last_attempt_is_told() {
        let (refusing, listener) = listening().await;
        drop(listener);
        let error = race(vec![refusing]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(race(Vec::new()).await.unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn the_two_families_take_turns_and_the_first_address_stays_the_first() {
        let order = |texts: &[&str]| {
            let addresses = texts.iter().map(|text| text.parse().unwrap()).collect();
            let in_turn = families_in_turn(addresses);
            in_turn.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let six = ["[::1]:1", "[::2]:1", "[::3]:1"];
        let four = ["1.1.1.1:1", "2.2.2.2:1"];
        let both = [six[0], six[1], six[2], four[0], four[1]];
        assert_eq!(order(&both), [six[0], four[0], six[1], four[1], six[2]]);
        assert_eq!(order(&[four[0], six[0], six[1]]), [four[0], six[0], six[1]]);
        assert_eq!(order(&four), four);
        assert!(order(&[]).is_empty());
    }
}
