//! End-to-end tests: real processes, real ptys, real brokers.
