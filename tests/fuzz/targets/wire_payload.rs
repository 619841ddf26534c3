//! Any opened payload: no panic, and whatever decodes encodes to the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vedette_wire::Payload;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(payload) = Payload::decode(bytes) {
        let encoded = payload.encode().expect("what was decoded can be encoded");
        assert_eq!(&encoded[..], bytes);
    }
});
