//! Scenarios, truth, sensing, weather and link faults for Vedette, in virtual time or live.
