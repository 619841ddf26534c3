//! A node that somebody carries tells where it is, to a gateway that understands that.

use vedette_wire::Payload;
use vedette_wire::payload::Position;

use super::Node;
use crate::board::{Board, Fix};
use crate::clock::ticks;
use crate::uplink::NodeError;

impl Node {
    /// When the next place is due; none when there are none to tell, or the gateway would not understand them.
    pub(super) fn position_due_ms(&self) -> Option<u64> {
        let understood = self.uplink.version() >= Payload::Position(NOWHERE).since();
        (self.config.position_ms > 0 && understood).then_some(self.position_at_ms)
    }

    /// Tells the place once, as it is: what gets lost is out of date before it could come again.
    pub(super) fn send_position<B: Board>(&mut self, board: &mut B, now_ms: u64) -> Result<(), NodeError> {
        let Some(fix) = board.fix() else {
            self.position_at_ms = now_ms + self.config.position_ms;
            return Ok(());
        };
        self.seal_under(self.journal.state().epoch)?;
        let payload = Payload::Position(aged(fix, now_ms));
        if self.uplink.send(board, &mut self.journal, &payload, None)? {
            self.position_at_ms = now_ms + self.config.position_ms;
        }
        Ok(())
    }
}

const NOWHERE: Position =
    Position { lat_e7: 0, lon_e7: 0, sd_dm: 1, age_ticks: 0, call: vedette_wire::payload::Call::None };

fn aged(fix: Fix, now_ms: u64) -> Position {
    let Fix { lat_e7, lon_e7, sd_dm, at_ms, call } = fix;
    let age_ticks = u16::try_from(ticks(now_ms.saturating_sub(at_ms))).unwrap_or(u16::MAX);
    Position { lat_e7, lon_e7, sd_dm: sd_dm.clamp(1, Position::MAX_SD_DM), age_ticks, call }
}
