//! Who may say that a gateway is well, when the centre wants signatures.

#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]
#![expect(dead_code, reason = "of what the tests have in common, only a part is used here")]

mod common;

use common::start;
use vedette_delivery::engine::Timestamp;
use vedette_delivery::ledger::{LedgerEvent, MemoryLedger};
use vedette_delivery::{Epoch, GatewayId, Keyring, Ledger, LedgerConfig, Signer, Status, message};

const TOPIC: &str = "vedette/v1/gate-1/status";

struct Centre {
    ledger: Ledger,
    file: MemoryLedger,
}

impl Centre {
    /// Which knows the key of the gateway `gate-1`.
    fn new(signer: &Signer) -> Self {
        let mut config = LedgerConfig::new(GatewayId::new("centre").unwrap());
        let mut keys = Keyring::new();
        keys.add(signer.kid(), &signer.public()).unwrap();
        config.keys.insert(GatewayId::new("gate-1").unwrap(), keys);
        config.require_signed = true;
        let mut file = MemoryLedger::new();
        Self { ledger: Ledger::start(config, start(), &mut file).unwrap(), file }
    }

    /// When the gateway was heard last, after it was told this at `second`.
    fn heard(&mut self, second: f64, payload: Vec<u8>, properties: Vec<(String, String)>) -> Option<Timestamp> {
        let event = LedgerEvent::Message { topic: TOPIC.to_owned(), payload, retained: false, properties };
        let mut actions = Vec::new();
        self.ledger.handle(start().plus_seconds(second), &mut self.file, event, &mut actions);
        self.ledger.handle(start().plus_seconds(second + 1.0), &mut self.file, LedgerEvent::Tick, &mut actions);
        self.ledger.gateways().next().map(|gateway| gateway.heard_at)
    }
}

fn status(second: f64) -> Vec<u8> {
    let (epoch, at) = (Some(Epoch("e".to_owned())), Some(start().plus_seconds(second)));
    message::write(&Status { online: true, epoch, at, ..Status::offline() })
}

#[test]
fn only_the_gateway_itself_says_that_it_is_well_and_only_once() {
    let signer = Signer::new("gate-1-key", &[1; 32]);
    let mut centre = Centre::new(&signer);
    assert_eq!(centre.heard(1.0, status(1.0), Vec::new()), None, "unsigned");
    let forger = Signer::new("gate-1-key", &[2; 32]);
    assert_eq!(centre.heard(2.0, status(2.0), forger.properties(TOPIC, &status(2.0))), None, "forged");

    let first = centre.heard(10.0, status(10.0), signer.properties(TOPIC, &status(10.0)));
    assert!(first.is_some());
    let again = centre.heard(20.0, status(10.0), signer.properties(TOPIC, &status(10.0)));
    assert_eq!(again, first, "sent again by somebody else");
    let next = centre.heard(30.0, status(30.0), signer.properties(TOPIC, &status(30.0)));
    assert!(next > first);
}
