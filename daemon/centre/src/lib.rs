//! The receiving side at the coordination centre: ledger, acknowledgement, alert stream.
