//! What the gateway's own tables say that cannot be.

use std::ops::RangeInclusive;

use vedette_delivery::GatewayId;
use vedette_engine::config::ConfigFault;
use vedette_wire::link::Configure;

use super::super::connection::Tls;
use super::super::peers;
use super::File;
use crate::signing;

impl File {
    /// What the gateway's own tables say that cannot be.
    pub(in crate::config) fn faults(&self) -> Vec<ConfigFault> {
        let mut faults = Vec::new();
        if let Err(error) = GatewayId::new(self.site.id.as_str()) {
            faults.push(fault("site.id", "1 to 64 letters, digits, `-`, `_` or `.`", error.to_string(), None));
        }
        self.check_names(&mut faults);
        self.check_connections(&mut faults);
        self.check_keys(&mut faults);
        self.check_bounds(&mut faults);
        peers::faults(&self.source, &self.sink, &self.unit, &mut faults);
        faults
    }

    fn check_names(&self, faults: &mut Vec<ConfigFault>) {
        let serial = self.source.serial.iter().enumerate().map(|(index, source)| ("serial", index, &source.name));
        let mqtt = self.source.mqtt.iter().enumerate().map(|(index, source)| ("mqtt", index, &source.name));
        let mut seen = std::collections::BTreeSet::new();
        let named = |(kind, index, name)| (format!("source.{kind}.{index}.name"), name);
        for (key, name) in serial.chain(mqtt).map(named).chain(peers::names(&self.source, &self.sink)) {
            let usable = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
            if !usable {
                faults.push(fault(&key, "letters, digits, `-`, `_` and `.`", format!("\"{name}\""), None));
            }
            if !seen.insert(name) {
                let fix = Some("give each source a name of its own".to_owned());
                faults.push(fault(&key, "a name no other source has", format!("a second source \"{name}\""), fix));
            }
        }
        if !self.source.serial.is_empty() && self.radio.is_none() {
            let fix = Some("add [radio] with keys_dir = \"..\"; `vedette keys new` fills it".to_owned());
            faults.push(fault("source.serial.0", "a [radio] table with the keys of the nodes", "none".to_owned(), fix));
        }
        if self.sink.centre.len() > 1 {
            let fix = Some("remove all but one [[sink.centre]]".to_owned());
            faults.push(fault("sink.centre.1", "one centre", format!("{} centres", self.sink.centre.len()), fix));
        }
    }

    fn check_connections(&self, faults: &mut Vec<ConfigFault>) {
        let sources =
            self.source.mqtt.iter().enumerate().map(|(i, source)| (format!("source.mqtt.{i}.broker"), &source.broker));
        let sinks =
            self.sink.centre.iter().enumerate().map(|(i, sink)| (format!("sink.centre.{i}.broker"), &sink.broker));
        for (key, broker) in sources.chain(sinks) {
            if broker.host.is_empty() || broker.host.contains(['/', ' ']) {
                let fix = Some("write the host alone, without `mqtt://` or a path".to_owned());
                faults.push(fault(
                    &format!("{key}.host"),
                    "a host name or address",
                    format!("\"{}\"", broker.host),
                    fix,
                ));
            }
            if !(1..=3600).contains(&broker.keep_alive_s) {
                faults.push(fault(&format!("{key}.keep_alive_s"), "1 to 3600", broker.keep_alive_s.to_string(), None));
            }
            if !(1024..=268_435_455).contains(&broker.max_packet_bytes) {
                let got = broker.max_packet_bytes.to_string();
                faults.push(fault(&format!("{key}.max_packet_bytes"), "1024 to 268435455", got, None));
            }
            if let Some(Tls { cert_file, key_file, .. }) = &broker.tls
                && cert_file.is_some() != key_file.is_some()
            {
                let fix = Some("give both, or neither".to_owned());
                faults.push(fault(
                    &format!("{key}.tls"),
                    "`cert_file` together with `key_file`",
                    "only one of them".to_owned(),
                    fix,
                ));
            }
        }
    }

    /// Keys whose orders are obeyed stand in the configuration itself.
    fn check_keys(&self, faults: &mut Vec<ConfigFault>) {
        for (sink, centre) in self.sink.centre.iter().enumerate() {
            let mut seen = std::collections::BTreeSet::new();
            for (index, key) in centre.order_key.iter().enumerate() {
                let place = format!("sink.centre.{sink}.order_key.{index}");
                if let Err(error) = signing::keyring(std::slice::from_ref(key)) {
                    let fix = Some("write what `vedette keys signing` printed".to_owned());
                    let expected = "the 32 bytes of an Ed25519 public key in base64";
                    faults.push(fault(&format!("{place}.public_key"), expected, error.to_string(), fix));
                }
                if !seen.insert(&key.kid) {
                    let got = format!("a second key \"{}\"", key.kid);
                    faults.push(fault(&format!("{place}.kid"), "a name no other key has", got, None));
                }
            }
        }
    }

    fn check_bounds(&self, faults: &mut Vec<ConfigFault>) {
        let mut within = |key: &str, got: f64, low: f64, high: f64| {
            if !(low..=high).contains(&got) {
                faults.push(fault(key, &format!("{low} to {high}"), got.to_string(), None));
            }
        };
        let (store, uplink) = (&self.store, &self.uplink);
        within("retention.recordings_days", self.retention.recordings_days, 0.0, 3650.0);
        within("retention.damaged_days", self.retention.damaged_days, 0.0, 3650.0);
        if let Some(radio) = &self.radio {
            let mut known = |key: &str, got: i64, (low, high): (i64, i64)| {
                within(&format!("radio.{key}"), got as f64, low as f64, high as f64);
            };
            known("frequency_khz", radio.frequency_khz.into(), ends(&Configure::FREQUENCY_KHZ));
            known("spreading_factor", radio.spreading_factor.into(), ends(&Configure::SPREADING_FACTOR));
            known("power_dbm", radio.power_dbm.into(), ends(&Configure::POWER_DBM));
            known("duty_permille", radio.duty_permille.into(), ends(&Configure::DUTY_PERMILLE));
            known("status_interval_s", radio.status_interval_s.into(), ends(&Configure::STATUS_PERIOD_S));
        }
        within("store.max_size_mib", f64::from(store.max_size_mib), 4.0, 65_536.0);
        #[expect(clippy::cast_precision_loss, reason = "only compared with bounds far below 2^53")]
        {
            within("store.commit_interval_ms", store.commit_interval_ms as f64, 1.0, 1000.0);
            within("store.snapshot_interval_s", store.snapshot_interval_s as f64, 1.0, 86_400.0);
            for (index, source) in self.source.serial.iter().enumerate() {
                within(&format!("source.serial.{index}.queue_frames"), source.queue_frames as f64, 1.0, 1e6);
                within(&format!("source.serial.{index}.baud"), f64::from(source.baud), 300.0, 4e6);
            }
            for (index, source) in self.source.mqtt.iter().enumerate() {
                within(&format!("source.mqtt.{index}.queue_frames"), source.queue_frames as f64, 1.0, 1e6);
            }
            if let Some(record) = &self.record {
                within("record.rotate_mib", record.rotate_mib as f64, 1.0, 65_536.0);
                within("record.rotate_s", record.rotate_s as f64, 10.0, 604_800.0);
                within("record.quota_mib", record.quota_mib as f64, 1.0, 1e9);
                within("record.flush_s", record.flush_s as f64, 1.0, 3600.0);
            }
        }
        within("uplink.window", f64::from(uplink.window), 1.0, 1024.0);
        if let Some(rate) = uplink.rate_limit_bps {
            within("uplink.rate_limit_bps", f64::from(rate), 1200.0, 1e9);
        }
        within("uplink.retry_s", uplink.retry_s, 0.1, 3600.0);
        within("uplink.tracks_interval_s", uplink.tracks_interval_s, 0.0, 3600.0);
        within("uplink.status_interval_s", uplink.status_interval_s, 1.0, 3600.0);
        if let Some(radio) = &self.radio
            && !Configure::BANDWIDTH_KHZ.contains(&radio.bandwidth_khz)
        {
            faults.push(fault("radio.bandwidth_khz", "125, 250 or 500", radio.bandwidth_khz.to_string(), None));
        }
    }
}

fn ends<T: Copy + Into<i64>>(range: &RangeInclusive<T>) -> (i64, i64) {
    ((*range.start()).into(), (*range.end()).into())
}

pub(in crate::config) fn fault(key: &str, expected: &str, got: String, fix: Option<String>) -> ConfigFault {
    ConfigFault { path: key.split('.').map(str::to_owned).collect(), expected: expected.to_owned(), got, fix }
}
