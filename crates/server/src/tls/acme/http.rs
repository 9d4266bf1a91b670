//! The HTTP client for the authority: HTTP/1.1 over TLS. The requests of an order are sequential,
//! so HTTP/2 would gain nothing.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use hyper::Request;
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;

use crate::tls::config::provider;

/// A client of one authority.
pub(super) struct Http(Client<HttpsConnector<HttpConnector>, BodyWrapper<Bytes>>);

impl Http {
    /// Trusts the certificates of this file, or else those of the system.
    ///
    /// # Errors
    /// They cannot be read, or are invalid.
    pub(super) fn new(ca: Option<&Path>) -> Result<Self, Error> {
        let tls = tls(ca).map_err(Error::Other)?;
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls);
        let connector = connector.https_only().enable_http1().build();
        Ok(Self(Client::builder(TokioExecutor::new()).build(connector)))
    }
}

impl HttpClient for Http {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let response = self.0.request(request);
        Box::pin(async move {
            let response = response.await.map_err(|error| Error::Other(Box::new(error)))?;
            Ok(BytesResponse::from(response))
        })
    }
}

fn tls(ca: Option<&Path>) -> Result<ClientConfig, Box<dyn std::error::Error + Send + Sync>> {
    let config = ClientConfig::builder_with_provider(Arc::new(provider()))
        .with_safe_default_protocol_versions()?;
    let config = match ca {
        Some(ca) => config.with_root_certificates(roots(ca)?),
        None => config.with_platform_verifier()?,
    };
    Ok(config.with_no_client_auth())
}

fn roots(ca: &Path) -> Result<RootCertStore, Box<dyn std::error::Error + Send + Sync>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca)? {
        roots.add(certificate?)?;
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn each_certificate_of_the_file_is_trusted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("authorities.pem");
        let certificate = || {
            let key = rcgen::KeyPair::generate().unwrap();
            rcgen::CertificateParams::default().self_signed(&key).unwrap().pem()
        };
        fs::write(&path, certificate() + &certificate()).unwrap();
        assert_eq!(roots(&path).unwrap().len(), 2);
    }

    #[test]
    fn a_file_that_is_missing_or_not_a_certificate_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("authorities.pem");
        assert!(Http::new(Some(&path)).is_err());
        fs::write(&path, "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n").unwrap();
        assert!(Http::new(Some(&path)).is_err());
    }
}
