//! Radio and serial link messages between sensor nodes, concentrator and gateway: framing, sealing and opening.
#![no_std]
