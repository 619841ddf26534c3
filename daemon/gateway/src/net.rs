//! Streams to other systems: TCP, or TLS over it, with a bound on the time it takes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::config::{Peer, Tls};

/// Time for TCP and TLS together.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
/// A receiver that takes nothing for this long is given up.
const WRITE_PATIENCE: Duration = Duration::from_secs(10);

/// Both directions of a connection.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Why there is no connection, or not any more.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NetError {
    #[error("{host}:{port}: {error}")]
    Connect { host: String, port: u16, error: std::io::Error },
    #[error("{host}:{port}: no connection within {CONNECT_PATIENCE:?}")]
    Slow { host: String, port: u16 },
    #[error("{}: {error}", path.display())]
    Certificate { path: PathBuf, error: String },
    #[error("{host}: expected a host name or address for TLS")]
    Name { host: String },
    #[error("the other side took nothing for {WRITE_PATIENCE:?}")]
    Stuck,
    #[error("the other side closed the connection")]
    Closed,
    #[error("{0}")]
    Broken(#[from] std::io::Error),
    #[error("{0}")]
    Refused(String),
}

/// Connects to a peer; certificates are read anew each time.
pub(crate) async fn connect(peer: &Peer) -> Result<Box<dyn Duplex>, NetError> {
    let (host, port) = (peer.host.clone(), peer.port);
    match tokio::time::timeout(CONNECT_PATIENCE, open(peer)).await {
        Ok(opened) => opened,
        Err(_) => Err(NetError::Slow { host, port }),
    }
}

async fn open(peer: &Peer) -> Result<Box<dyn Duplex>, NetError> {
    let failed = |error| NetError::Connect { host: peer.host.clone(), port: peer.port, error };
    let stream = TcpStream::connect((peer.host.as_str(), peer.port)).await.map_err(failed)?;
    stream.set_nodelay(true).map_err(failed)?;
    let Some(tls) = &peer.tls else { return Ok(Box::new(stream)) };
    let name = ServerName::try_from(peer.host.clone()).map_err(|_| NetError::Name { host: peer.host.clone() })?;
    let connector = TlsConnector::from(Arc::new(client_config(tls)?));
    Ok(Box::new(connector.connect(name, stream).await.map_err(failed)?))
}

fn client_config(tls: &Tls) -> Result<ClientConfig, NetError> {
    let wrong = |path: &Path, error: String| NetError::Certificate { path: path.to_path_buf(), error };
    let read = |path: &Path| std::fs::read(path).map_err(|error| wrong(path, error.to_string()));
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&tls.ca_file, &read(&tls.ca_file)?)? {
        roots.add(certificate).map_err(|error| wrong(&tls.ca_file, error.to_string()))?;
    }
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(&tls.ca_file, error.to_string()))?
        .with_root_certificates(roots);
    let (Some(cert_file), Some(key_file)) = (&tls.cert_file, &tls.key_file) else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = certificates(cert_file, &read(cert_file)?)?;
    let key = PrivateKeyDer::from_pem_slice(&read(key_file)?).map_err(|error| wrong(key_file, error.to_string()))?;
    builder.with_client_auth_cert(chain, key).map_err(|error| wrong(cert_file, error.to_string()))
}

fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, NetError> {
    let wrong = |error: String| NetError::Certificate { path: path.to_path_buf(), error };
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let all = all.map_err(|error| wrong(error.to_string()))?;
    if all.is_empty() { Err(wrong("no certificate in it".to_owned())) } else { Ok(all) }
}

/// Writes all of it, or gives the connection up.
pub(crate) async fn write(line: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> Result<(), NetError> {
    let written = tokio::time::timeout(WRITE_PATIENCE, async {
        line.write_all(bytes).await?;
        line.flush().await
    });
    Ok(written.await.map_err(|_| NetError::Stuck)??)
}
