//! A TCP connector that sends a PROXY protocol header first, for a server that expects one.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tower_service::Service;

/// Connects, and writes `first` before anything else.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    pub(super) tcp: HttpConnector,
    pub(super) first: &'static [u8],
}

type BoxError = Box<dyn Error + Send + Sync>;

impl<A> Service<A> for Connector
where
    HttpConnector:
        Service<A, Response = TokioIo<TcpStream>, Future: Send + 'static, Error: Into<BoxError>>,
{
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, task: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(task).map_err(Into::into)
    }

    fn call(&mut self, address: A) -> Self::Future {
        let (connecting, first) = (self.tcp.call(address), self.first);
        Box::pin(async move {
            let mut stream = connecting.await.map_err(Into::into)?;
            stream.inner_mut().write_all(first).await?;
            Ok(stream)
        })
    }
}
