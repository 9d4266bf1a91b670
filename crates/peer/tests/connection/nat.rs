//! A NAT for one socket, in user space: everybody outside may answer (full cone, RFC 3489).

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::UdpSocket;

/// A NAT between a socket inside and the world.
pub(crate) struct Nat {
    /// The STUN server's address for the socket inside.
    pub(crate) stun_server: SocketAddr,
    /// The address of the socket inside, as seen from outside.
    pub(crate) outside: SocketAddr,
}

impl Nat {
    pub(crate) async fn before(stun_server: SocketAddr) -> Self {
        let [to_server, to_others, outside] = [socket().await, socket().await, socket().await];
        let addresses = [&to_server, &outside].map(|socket| socket.local_addr().unwrap());
        tokio::spawn(translate(stun_server, to_server, to_others, outside));
        Self { stun_server: addresses[0], outside: addresses[1] }
    }
}

async fn socket() -> Arc<UdpSocket> {
    Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap())
}

/// One other end is enough for a test.
async fn translate(
    stun_server: SocketAddr,
    to_server: Arc<UdpSocket>,
    to_others: Arc<UdpSocket>,
    outside: Arc<UdpSocket>,
) {
    let (mut inside, mut other) = (None, None);
    let mut buffers = [[0; 2048]; 3];
    let [one, two, three] = &mut buffers;
    loop {
        tokio::select! {
            Ok((length, from)) = to_server.recv_from(one) => {
                inside = Some(from);
                outside.send_to(&one[..length], stun_server).await.unwrap();
            }
            Ok((length, _)) = to_others.recv_from(two) => if  let Some(other) = other {
                let _ = outside.send_to(&two[..length], other).await;
            },
            Ok((length, from)) = outside.recv_from(three) => {
                let Some(inside) = inside else { continue };
                let by = if from == stun_server { &to_server } else { &to_others };
                if from != stun_server {
                    other = Some(from);
                }
                let _ = by.send_to(&three[..length], inside).await;
            }
        }
    }
}
