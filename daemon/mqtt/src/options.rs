//! How to reach a broker, and the limits of a connection.

use std::time::Duration;

use rumqttc::mqttbytes::QoS;
use rumqttc::{MqttOptions, TlsConfiguration, Transport};

/// PEM contents for a TLS connection in which both sides show a certificate.
#[derive(Clone)]
pub struct Tls {
    /// Certificates of the authorities the broker's certificate may come from.
    pub authority_pem: Vec<u8>,
    /// This side's certificate chain and private key, where the broker asks for one.
    pub identity_pem: Option<(Vec<u8>, Vec<u8>)>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("identity", &self.identity_pem.is_some()).finish_non_exhaustive()
    }
}

/// What the broker publishes when this connection breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastWill {
    /// Topic.
    pub topic: String,
    /// Payload.
    pub payload: Vec<u8>,
    /// Whether the broker keeps it for later subscribers.
    pub retain: bool,
}

/// How to reach a broker, and the limits of the connection.
#[derive(Clone, Debug)]
pub struct Options {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Client id; a second connection with the same id ends the first.
    pub client_id: String,
    /// User name and password, where the broker wants them.
    pub credentials: Option<(String, String)>,
    /// TLS, or plain TCP.
    pub tls: Option<Tls>,
    /// Keep-alive; at least one second. Three of them without any event end the connection.
    pub keep_alive: Duration,
    /// Time allowed for TCP, TLS and CONNACK together.
    pub connect_timeout: Duration,
    /// Largest packet accepted and announced; larger ones are the broker's to withhold.
    pub max_packet_bytes: u32,
    /// Publications that may be in flight, and as many that may wait inside the client; one more is refused with
    /// [`crate::PublishError::Full`].
    pub queue: usize,
    /// Published by the broker when this connection breaks.
    pub last_will: Option<LastWill>,
}

/// A setting the protocol cannot express.
#[derive(Debug, thiserror::Error)]
pub enum OptionsError {
    /// The library refused the combination.
    #[error("MQTT options for {host}:{port}: {reason}")]
    Refused {
        /// The broker's host.
        host: String,
        /// The broker's port.
        port: u16,
        /// The library's words.
        reason: String,
    },
}

impl Options {
    /// Plain TCP to `host`:`port` with the defaults: 20 s keep-alive, 10 s to connect, packets up to 256 KiB, 256 waiting.
    #[must_use]
    pub fn new(host: impl Into<String>, port: u16, client_id: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            port,
            client_id: client_id.into(),
            credentials: None,
            tls: None,
            keep_alive: Duration::from_secs(20),
            connect_timeout: Duration::from_secs(10),
            max_packet_bytes: 256 * 1024,
            queue: 256,
            last_will: None,
        }
    }

    /// Silence after which the connection counts as dead.
    #[must_use]
    pub fn stall_limit(&self) -> Duration {
        self.keep_alive * 3
    }

    pub(crate) fn to_library(&self) -> MqttOptions {
        let mut options = MqttOptions::new(self.client_id.clone(), (self.host.clone(), self.port));
        let keep_alive_s = u16::try_from(self.keep_alive.as_secs()).unwrap_or(u16::MAX).max(1);
        options
            .set_keep_alive(keep_alive_s)
            .set_session_mode(rumqttc::SessionMode::Clean)
            .set_max_packet_size(Some(self.max_packet_bytes));
        // The library reserves memory for each publication that may be in flight: 14 MB for its default of 65,535.
        options.set_outgoing_inflight_upper_limit(u16::try_from(self.queue).unwrap_or(u16::MAX).max(1));
        options.set_incoming_packet_size_limit(rumqttc::IncomingPacketSizeLimit::Bytes(self.max_packet_bytes));
        if let Some((user, password)) = &self.credentials {
            options.set_credentials(user.clone(), password.clone().into_bytes());
        }
        if let Some(tls) = &self.tls {
            options.set_transport(Transport::tls_with_config(TlsConfiguration::Simple {
                ca: tls.authority_pem.clone(),
                alpn: None,
                client_auth: tls.identity_pem.clone(),
            }));
        }
        if let Some(will) = &self.last_will {
            options.set_last_will(rumqttc::mqttbytes::v5::LastWill::new(
                will.topic.clone(),
                will.payload.clone(),
                QoS::AtLeastOnce,
                will.retain,
                None,
            ));
        }
        options
    }
}
