//! What a test bench and the workshop say to a node: its identity, and stand-ins for the world at its inputs.

use heapless::Vec;

use super::{LinkError, Message, MessageWriter, sealed::Fields};
use crate::bytes::Reader;
use crate::key::Key;

const PROVISION: u8 = 0xB1;
const STIMULUS: u8 = 0xB2;

/// Most geophone samples in one stimulus: 50 ms at 500 Hz.
pub const MAX_SAMPLES: usize = 25;

/// A message to a node on the bench.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bench {
    /// Become this node; everything the node remembers is erased.
    Provision {
        /// Its id.
        node: u32,
        /// Epoch of its key.
        epoch: u8,
        /// Its key.
        key: Key,
        /// Epoch of the site's key for frames to all nodes.
        site_epoch: u8,
        /// That key.
        site_key: Key,
        /// First frame counter: where a node that had this key before stopped, 0 for a new key.
        first_counter: u32,
    },
    /// The world as the node's inputs see it, from now on and for the time of the samples.
    Stimulus {
        /// The infrared module reports motion.
        pir: bool,
        /// The housing is open.
        tamper: bool,
        /// The left beam is interrupted.
        beam_left: bool,
        /// The right beam is interrupted.
        beam_right: bool,
        /// Geophone samples, converter counts, 500 a second.
        samples: Vec<i16, MAX_SAMPLES>,
    },
}

const PIR: u8 = 1;
const TAMPER: u8 = 2;
const BEAM_LEFT: u8 = 4;
const BEAM_RIGHT: u8 = 8;

impl Message for Bench {}

#[expect(private_interfaces, reason = "the trait is sealed")]
impl Fields for Bench {
    fn write(&self, out: &mut MessageWriter) -> Result<(), LinkError> {
        match self {
            Self::Provision { node, epoch, key, site_epoch, site_key, first_counter } => {
                out.u8(PROVISION).u32(*node).u8(*epoch).bytes(key.expose());
                out.u8(*site_epoch).bytes(site_key.expose()).u32(*first_counter);
            }
            Self::Stimulus { pir, tamper, beam_left, beam_right, samples } => {
                let levels = [(*pir, PIR), (*tamper, TAMPER), (*beam_left, BEAM_LEFT), (*beam_right, BEAM_RIGHT)];
                out.u8(STIMULUS).u8(levels.iter().filter(|(on, _)| *on).map(|(_, mask)| mask).sum());
                for sample in samples {
                    out.i16(*sample);
                }
            }
        }
        Ok(())
    }

    fn read(kind: u8, reader: &mut Reader<'_>) -> Option<Result<Self, LinkError>> {
        Some(match kind {
            PROVISION => Ok(Self::Provision {
                node: reader.u32()?,
                epoch: reader.u8()?,
                key: Key::new(reader.array()?),
                site_epoch: reader.u8()?,
                site_key: Key::new(reader.array()?),
                first_counter: reader.u32()?,
            }),
            STIMULUS => {
                let levels = reader.u8()?;
                if levels > PIR | TAMPER | BEAM_LEFT | BEAM_RIGHT {
                    return Some(Err(LinkError::Range { field: "input levels", got: levels.into() }));
                }
                let mut samples = Vec::new();
                while reader.left() > 0 {
                    samples.push(reader.i16()?).ok()?;
                }
                let on = |mask| levels & mask != 0;
                Ok(Self::Stimulus {
                    pir: on(PIR),
                    tamper: on(TAMPER),
                    beam_left: on(BEAM_LEFT),
                    beam_right: on(BEAM_RIGHT),
                    samples,
                })
            }
            got => Err(LinkError::Kind { got }),
        })
    }
}
