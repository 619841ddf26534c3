//! The daemon at the checkpoint: sources, store, uplink, configuration.
