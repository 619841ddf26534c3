//! Feeds an engine from a log, with the ticks a live gateway would have given it.

use vedette_engine::{Durable, Engine, Judgement, Output, Picture, PictureRate, Seen, Timestamp, Volatile};

use super::Told;

/// What the engine says while a log is replayed, in order.
#[derive(Clone, Copy, Debug)]
pub enum Saying<'a> {
    /// Something durable, first of all alerts, and when it was said.
    Durable(Timestamp, &'a Durable),
    /// The tracks at one time.
    Tracks(&'a Picture),
    /// A scan that the tracker took; from an inspected engine.
    Seen(&'a Seen),
    /// What became of a rule's finding; from an inspected engine.
    Judged(&'a Judgement),
}

/// An engine on a log's time.
#[derive(Debug)]
pub struct Driver {
    engine: Engine,
    out: Vec<Output>,
    every_micros: Option<i64>,
    next_picture: Option<Timestamp>,
    now: Timestamp,
    ticks: Ticks,
    fed: u64,
    jumps: Vec<Jump>,
}

/// A step of the log's time so long that nothing can have been going on: some clock was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jump {
    /// The time before.
    pub from: Timestamp,
    /// The time of the input after it.
    pub to: Timestamp,
    /// That input, counted from 1.
    pub input: u64,
}

/// Where the ticks of a replay come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ticks {
    /// The log has none: the driver makes them at the engine's deadlines, and after the log's end until all is processed.
    Made,
    /// Those of the live run, and no others: the replay is that run again, to its very end.
    Recorded,
    /// Those of the live run, and more where an engine that was configured otherwise waits in vain for one.
    Mended,
}

/// The live daemon ticks at most this much after a deadline.
const LIVE_DELAY_S: f64 = 0.25;

/// Time is not passed through tick by tick over a longer step than this.
const LONGEST_STEP_S: f64 = 30.0 * 86_400.0;

/// Jumps remembered one by one.
const MOST_JUMPS: usize = 100;

impl Driver {
    /// Drives `engine`. Tracks are told after every processed scan time, or with `every_micros` at its whole multiples
    /// since 1970, each as soon as all scans up to it are processed.
    #[must_use]
    pub fn new(engine: Engine, every_micros: Option<i64>) -> Self {
        let pictures = if every_micros.is_some() { PictureRate::OnRequest } else { PictureRate::EveryScanTime };
        Self::of(engine.with_pictures(pictures), every_micros)
    }

    /// Drives `engine` for an explanation: it tells what it sees and decides, instead of tracks.
    #[must_use]
    pub fn inspecting(engine: Engine) -> Self {
        Self::of(engine.with_pictures(PictureRate::OnRequest).inspected(), None)
    }

    fn of(engine: Engine, every_micros: Option<i64>) -> Self {
        Self {
            engine,
            out: Vec::new(),
            every_micros,
            next_picture: None,
            now: Timestamp::MIN,
            ticks: Ticks::Made,
            fed: 0,
            jumps: Vec::new(),
        }
    }

    /// The same driver with ticks from elsewhere.
    #[must_use]
    pub fn with_ticks(self, ticks: Ticks) -> Self {
        Self { ticks, ..self }
    }

    /// Lets time pass to `told.now`, ticking at the engine's deadlines, and hands over the input. Of a jump only as much
    /// passes as everything before it needs to be processed.
    pub fn feed(&mut self, told: Told, sink: &mut dyn FnMut(Saying<'_>)) {
        self.fed += 1;
        if self.now != Timestamp::MIN && told.now.seconds_since(self.now) > LONGEST_STEP_S {
            self.jump(told.now, sink);
        } else {
            self.tick_until(told.now, sink);
        }
        self.now = self.now.max(told.now);
        if self.next_picture.is_none() {
            self.next_picture =
                self.every_micros.map(|every| next_multiple(told.now.plus_seconds(-self.engine.wait()), every));
        }
        self.engine.handle(told.now, told.input, &mut self.out);
        self.tell(sink);
    }

    /// Lets the engine's wait pass after the last input, so that everything told is processed. The end of a recording is
    /// left as it was.
    pub fn drain(&mut self, sink: &mut dyn FnMut(Saying<'_>)) {
        if self.ticks != Ticks::Made {
            return;
        }
        let end = self.now.plus_seconds(self.engine.wait());
        self.tick_until(end, sink);
        self.engine.handle(end, vedette_engine::Input::Tick, &mut self.out);
        self.tell(sink);
    }

    /// The jumps of the log's time, the first hundred.
    #[must_use]
    pub fn jumps(&self) -> &[Jump] {
        &self.jumps
    }

    /// The engine as the log left it.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    fn jump(&mut self, to: Timestamp, sink: &mut dyn FnMut(Saying<'_>)) {
        if self.jumps.len() < MOST_JUMPS {
            self.jumps.push(Jump { from: self.now, to, input: self.fed });
        }
        self.tick_until(self.now.plus_seconds(self.engine.wait()), sink);
        // Pictures go on at the new time.
        self.next_picture = None;
        if self.ticks != Ticks::Recorded {
            self.engine.handle(to, vedette_engine::Input::Tick, &mut self.out);
        }
    }

    fn tick_until(&mut self, end: Timestamp, sink: &mut dyn FnMut(Saying<'_>)) {
        let end = match self.ticks {
            Ticks::Made => end,
            Ticks::Recorded => return,
            Ticks::Mended => end.plus_seconds(-LIVE_DELAY_S),
        };
        let mut last = None;
        while let Some(deadline) = self.engine.next_deadline().filter(|&deadline| deadline <= end) {
            // A deadline that a tick does not move has nothing more to give at this time.
            if last.replace(deadline) == Some(deadline) {
                break;
            }
            self.engine.handle(deadline.max(self.now), vedette_engine::Input::Tick, &mut self.out);
            self.now = self.now.max(deadline);
            self.tell(sink);
        }
    }

    fn tell(&mut self, sink: &mut dyn FnMut(Saying<'_>)) {
        for output in self.out.drain(..) {
            match &output {
                Output::Durable(durable) => sink(Saying::Durable(self.now, durable)),
                Output::Volatile(Volatile::Tracks(picture)) => sink(Saying::Tracks(picture)),
                Output::Volatile(Volatile::Seen(seen)) => sink(Saying::Seen(seen)),
                Output::Volatile(Volatile::Judged(judgement)) => sink(Saying::Judged(judgement)),
                Output::Transmit(_) => {}
            }
        }
        let (Some(every), Some(mut next)) = (self.every_micros, self.next_picture) else { return };
        while self.engine.settled() >= next {
            sink(Saying::Tracks(&self.engine.picture(next)));
            next = next.plus_micros(every);
        }
        self.next_picture = Some(next);
    }
}

/// The first whole multiple of `every_micros` since 1970 that is not earlier than `time`.
fn next_multiple(time: Timestamp, every_micros: i64) -> Timestamp {
    let micros = time.as_micros();
    Timestamp::from_micros(micros.saturating_add((-micros).rem_euclid(every_micros)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_fall_on_whole_multiples() {
        let at = |micros| next_multiple(Timestamp::from_micros(micros), 1_000_000).as_micros();
        assert_eq!([at(0), at(1), at(1_000_000), at(-1), at(-1_000_001)], [0, 1_000_000, 1_000_000, 0, -1_000_000]);
    }
}
