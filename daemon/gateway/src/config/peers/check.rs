//! What the tables of other systems say that cannot be.

use std::net::SocketAddr;

use vedette_engine::config::{ConfigFault, UnitTable};

use super::super::tables::{Sinks, Sources, fault};
use super::{CotSource, HttpSource, Peer, peers};

/// What the tables of other systems say that cannot be.
pub(in crate::config) fn faults(source: &Sources, sink: &Sinks, units: &[UnitTable], faults: &mut Vec<ConfigFault>) {
    let mut check = Check { faults };
    for (key, peer) in peers(source, sink) {
        check.peer(&key, peer);
    }
    for (index, cot) in sink.cot.iter().enumerate() {
        let key = format!("sink.cot.{index}");
        check.one_of(&key, "to", "multicast", cot.to.is_some(), cot.multicast.is_some());
        check.group(&key, cot.multicast);
        check.within(&key, "multicast_hops", f64::from(cot.multicast_hops), 0.0, 255.0);
        check.within(&key, "tracks_interval_s", cot.tracks_interval_s, 0.1, 3_600.0);
        check.within(&key, "sensors_interval_s", cot.sensors_interval_s, 1.0, 86_400.0);
        check.within(&key, "stale_s", cot.stale_s, cot.tracks_interval_s, 86_400.0);
    }
    for (index, cot) in source.cot.iter().enumerate() {
        let key = format!("source.cot.{index}");
        check.one_of(&key, "from", "multicast", cot.from.is_some(), cot.multicast.is_some());
        check.group(&key, cot.multicast);
        check.trust(&key, cot);
    }
    for (index, http) in source.http.iter().enumerate() {
        check.posted(&format!("source.http.{index}"), http, units);
    }
    for (index, node) in source.meshtastic.iter().enumerate() {
        check.within(&format!("source.meshtastic.{index}"), "heartbeat_s", node.heartbeat_s, 1.0, 600.0);
    }
    for (index, gnss) in source.gnss.iter().enumerate() {
        let key = format!("source.gnss.{index}");
        check.one_of(&key, "device", "gpsd", gnss.device.is_some(), gnss.gpsd.is_some());
    }
    let codecs = source.file.iter().map(|file| &file.codec).enumerate().map(|(index, codec)| ("file", index, codec));
    let posted = source.http.iter().map(|http| &http.codec).enumerate().map(|(index, codec)| ("http", index, codec));
    for (kind, index, codec) in codecs.chain(posted) {
        check.codec(&format!("source.{kind}.{index}.codec"), codec);
    }
    for (index, mqtt) in source.mqtt.iter().enumerate() {
        check.codec(&format!("source.mqtt.{index}.codec"), &mqtt.codec);
    }
    for (index, sapient) in source.sapient.iter().enumerate() {
        let key = format!("source.sapient.{index}");
        check.uuid(&key, &sapient.node_id);
        check.within(&key, "status_interval_s", sapient.status_interval_s, 1.0, 3_600.0);
    }
    for (index, sapient) in sink.sapient.iter().enumerate() {
        let key = format!("sink.sapient.{index}");
        check.uuid(&key, &sapient.node_id);
        check.within(&key, "tracks_interval_s", sapient.tracks_interval_s, 0.1, 3_600.0);
        check.within(&key, "status_interval_s", sapient.status_interval_s, 1.0, 3_600.0);
    }
}

struct Check<'a> {
    faults: &'a mut Vec<ConfigFault>,
}

impl Check<'_> {
    fn peer(&mut self, key: &str, peer: &Peer) {
        if peer.host.is_empty()
            || peer.host.contains(['/', ' ', ':']) && peer.host.parse::<std::net::Ipv6Addr>().is_err()
        {
            let fix = Some("write the host alone, without a scheme, port or path".to_owned());
            let got = format!("\"{}\"", peer.host);
            self.faults.push(fault(&format!("{key}.host"), "a host name or address", got, fix));
        }
        if peer.port == 0 {
            self.faults.push(fault(&format!("{key}.port"), "1 to 65535", "0".to_owned(), None));
        }
        if peer.tls.as_ref().is_some_and(|tls| tls.cert_file.is_some() != tls.key_file.is_some()) {
            let fix = Some("give both, or neither".to_owned());
            let expected = "`cert_file` together with `key_file`";
            self.faults.push(fault(&format!("{key}.tls"), expected, "only one of them".to_owned(), fix));
        }
    }

    fn one_of(&mut self, key: &str, one: &str, other: &str, has_one: bool, has_other: bool) {
        if has_one == has_other {
            let got = if has_one { "both" } else { "neither" };
            let expected = format!("either {one} or {other}");
            self.faults.push(fault(&format!("{key}.{one}"), &expected, got.to_owned(), None));
        }
    }

    fn group(&mut self, key: &str, group: Option<SocketAddr>) {
        if let Some(group) = group.filter(|group| !group.ip().is_multicast()) {
            let fix = Some("write for example multicast = \"239.2.3.1:6969\"".to_owned());
            self.faults.push(fault(&format!("{key}.multicast"), "a multicast address", group.to_string(), fix));
        }
    }

    /// Own units explain tracks away: who may say where they are must be told, or proved by certificates.
    fn trust(&mut self, key: &str, cot: &CotSource) {
        let tls = cot.from.as_ref().and_then(|peer| peer.tls.as_ref());
        let proved = tls.is_some_and(|tls| tls.cert_file.is_some() && tls.key_file.is_some());
        let named = cot.trust.as_ref().is_some_and(|uids| !uids.is_empty() && uids.iter().all(|uid| !uid.is_empty()));
        if !named && (cot.trust.is_some() || !proved) {
            let fix = Some("name who is believed: trust = [\"ANDROID-3c1f\"]".to_owned());
            let expected = "the uids of own units, or a server over TLS with cert_file and key_file";
            let got = if cot.trust.is_some() { "an empty uid or none" } else { "neither" };
            self.faults.push(fault(&format!("{key}.trust"), expected, got.to_owned(), fix));
        }
    }

    /// Over HTTP anybody can post: positions of own units are taken from this machine alone.
    fn posted(&mut self, key: &str, http: &HttpSource, units: &[UnitTable]) {
        let of_mesh = http.codec.starts_with("meshtastic") && units.iter().any(|unit| unit.meshtastic.is_some());
        let places_units = of_mesh || ["cot", "own_position"].contains(&http.codec.as_str());
        if places_units && !http.listen.ip().is_loopback() {
            let other = if of_mesh { "[[source.mqtt]]" } else { "[[source.cot]]" };
            let fix = Some(format!("listen on 127.0.0.1, or use {other}"));
            let expected = "an address of this machine alone, for positions of own units";
            self.faults.push(fault(&format!("{key}.listen"), expected, http.listen.to_string(), fix));
        }
    }

    fn within(&mut self, key: &str, name: &str, got: f64, low: f64, high: f64) {
        if !(low..=high).contains(&got) {
            self.faults.push(fault(&format!("{key}.{name}"), &format!("{low} to {high}"), got.to_string(), None));
        }
    }

    fn codec(&mut self, key: &str, name: &str) {
        if vedette_engine::codec::codec_named(name).is_none() {
            let known: Vec<&str> = vedette_engine::codec::CODECS.iter().map(|codec| codec.name).collect();
            self.faults.push(fault(key, &format!("one of {}", known.join(", ")), format!("\"{name}\""), None));
        }
    }

    fn uuid(&mut self, key: &str, id: &str) {
        let shape = |(place, c): (usize, char)| match place {
            8 | 13 | 18 | 23 => c == '-',
            14 => c == '4',
            19 => "89ab".contains(c),
            _ => c.is_ascii_digit() || ('a'..='f').contains(&c),
        };
        if id.len() != 36 || !id.chars().enumerate().all(shape) {
            let fix = Some("`cat /proc/sys/kernel/random/uuid` makes one".to_owned());
            let expected = "a lower-case UUID of version 4";
            self.faults.push(fault(&format!("{key}.node_id"), expected, format!("\"{id}\""), fix));
        }
    }
}
