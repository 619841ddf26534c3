//! Outbox, uplink and centre ledger without I/O, and the messages between gateway and centre.
