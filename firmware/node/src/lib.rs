//! Sensor-node logic over one board trait, without I/O of its own.
#![no_std]
