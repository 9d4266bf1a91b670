//! Rules for the list of TURN servers: errors and warnings.
//!
//! They describe the behaviour of WebRTC stacks that were tested: Chromium, Firefox, libwebrtc,
//! libdatachannel, aiortc, werift.

use super::turn_ports;
use super::turn_url::Service;
use crate::settings::{Origin, TurnError, TurnUrl};

/// The bound of URLs: as many as the clients of this project use. Browsers warn at five.
pub(crate) const URLS_MAX: usize = 8;

const NO_RELAY_OVER_UDP: &str = "no URL gives a relay over UDP: clients whose WebRTC stack has no \
                                 TURN over TCP, such as libdatachannel, have no relay and report \
                                 no error. Add one to turn.urls, such as turn:HOST:3478";
const IPV6_ADDRESS: &str = "turn.urls has an IPv6 address: libdatachannel and aiortc refuse the \
    whole list because of it, and every call fails there. Give the address a host name";
const DTLS: &str = "turn.urls has turns: with transport=udp, which is DTLS: hardly any client uses \
    it. Write turn: with transport=udp, or turns: with transport=tcp";

const LOW_PORT: &str = "a TURN server has a port below 1024 that is neither 80 nor 443: Chromium \
                        does not use it, and reports nothing. Let it listen on 443, or on 3478";

/// Refuses a list that is useless, or that delays clients.
pub(crate) fn check(urls: &[TurnUrl], secret: &Origin) -> Result<(), TurnError> {
    if urls.len() > URLS_MAX {
        return Err(TurnError::TooManyUrls);
    }
    if urls.iter().all(|url| url.server().service == Service::Stun) {
        return Err(TurnError::WithoutRelay { origin: secret.clone() });
    }
    let twice = |(index, url): (usize, &TurnUrl)| {
        urls[..index].iter().any(|earlier| earlier.server() == url.server())
    };
    if urls.iter().enumerate().any(twice) {
        return Err(TurnError::ServerTwice);
    }
    Ok(())
}

/// Returns warnings about a list that only some clients can use.
pub(crate) fn warnings(urls: &[TurnUrl]) -> impl Iterator<Item = String> {
    let any = |service| urls.iter().any(|url| url.server().service == service);
    let any_low_port = urls.iter().map(TurnUrl::server).any(|server| {
        server.service != Service::Stun && !turn_ports::is_asked_by_chromium(server.port)
    });
    let any_ipv6_address = urls.iter().any(|url| url.server().host.contains(':'));
    [
        (!any(Service::Udp), NO_RELAY_OVER_UDP),
        (any_ipv6_address, IPV6_ADDRESS),
        (any(Service::Dtls), DTLS),
        (any_low_port, LOW_PORT),
    ]
    .into_iter()
    .filter(|(holds, _)| *holds)
    .map(|(_, warning)| warning.to_owned())
}
