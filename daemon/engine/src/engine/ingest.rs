//! From a frame to scans waiting in the aligner, and the counts of everything that did not get there.

use vedette_tracker::Timestamp;

use super::state::{MAX_RECENT_FAULTS, MAX_UNKNOWN_SENSORS, State};
use crate::codec::{
    Codec, Context, Distress, Fault, HealthReport, OwnPosition, PlotReport, Reading, Reason, Report, Stamper,
    codec_named, decode_radio,
};
use crate::config::Site;
use crate::input::{Frame, FrameContent, RadioFrame};
use crate::output::Transmit;
use crate::refusals::Refusals;
use crate::status::UnknownSensor;
use crate::time::parse_rfc3339;
use crate::units::OwnReport;
use crate::{Mode, Output, geo};

impl State {
    pub(super) fn take_frame(&mut self, frame: Frame, site: &Site, out: &mut Vec<Output>) {
        let (received, clocks) = (frame.received, self.aligner.clocks().to_vec());
        match frame.content {
            FrameContent::Message { codec, topic, retained, bytes } => {
                let context = Context { site, topic: topic.as_deref(), retained, received, clocks: &clocks };
                self.take_message(&codec, &bytes, &context);
            }
            FrameContent::Radio(radio) => {
                let context = Context { site, topic: None, retained: false, received, clocks: &clocks };
                self.take_radio(frame.source, &radio, &context, out);
            }
        }
    }

    fn take_message(&mut self, name: &str, bytes: &[u8], context: &Context<'_>) {
        let Some(codec) = codec_named(name) else {
            self.counters.add_labelled("frames", "codec", "unknown", 1);
            let fault = Fault::new(Reason::UnknownCodec, "codec", "a codec this program has", name);
            self.note(name, Report::refused(fault), context.site);
            return;
        };
        self.counters.add_labelled("frames", "codec", codec.name, 1);
        // Foreign formats have no field that says what is simulated: in an exercise none of them is believed to be.
        if context.site.mode == Mode::Exercise && codec.name != "native" {
            let fault = Fault::new(Reason::WrongMode, "codec", "native, with \"mode\":\"exercise\"", codec.name);
            self.note(codec.name, Report::refused(fault), context.site);
            return;
        }
        let mut readings = Vec::new();
        let report = (codec.decode)(bytes, context, &mut self.codecs, &mut readings);
        self.take_readings(Some(codec), readings, report, context.site);
    }

    /// Takes in what one message said; without a codec it is a radio frame.
    fn take_readings(&mut self, codec: Option<&Codec>, readings: Vec<Reading>, mut report: Report, site: &Site) {
        for reading in readings {
            match reading {
                Reading::Plots(plots) => {
                    let told = codec.and_then(|codec| codec.tells_of_quiet(&plots));
                    let status = &mut self.sensors[plots.sensor];
                    // Of who has told of events alone so far, nothing else can be expected.
                    status.tells_of_quiet = told.or(status.tells_of_quiet).or(Some(false));
                    self.take_plots(&plots, site, &mut report);
                }
                Reading::Health(health) => self.take_health(&health),
                Reading::Weather(said) => {
                    self.counters.add("weather_reports", 1);
                    self.sky.take(said, self.now);
                }
                Reading::OwnPosition(own) => self.take_own_position(&own, site, &mut report),
            }
        }
        self.note(codec.map_or("wire", |codec| codec.name), report, site);
    }

    fn take_own_position(&mut self, own: &OwnPosition, site: &Site, report: &mut Report) {
        match geo::place(own.spot, site) {
            Ok(position_m) => {
                let OwnPosition { unit, time, sd_m, distress, .. } = *own;
                let own = OwnReport { unit, time, position_m, sd_m };
                let believed = self.units.take(&own, self.now, site);
                self.counters.add(if believed { "own_positions" } else { "own_positions_doubted" }, 1);
                if let Some(distress) = distress {
                    self.calls.take_unit(unit, distress, (position_m, sd_m), self.now);
                    self.counters.add("calls_for_help", u64::from(distress == Distress::Calls));
                }
                self.news = true;
            }
            Err(fault) => report.fault(fault),
        }
    }

    fn take_health(&mut self, health: &HealthReport) {
        for &index in &health.sensors {
            let status = &mut self.sensors[index];
            status.last_heard = Some(self.now);
            status.told_at = health.battery_mv.map(|_| self.now).or(status.told_at);
            status.battery_mv = health.battery_mv.or(status.battery_mv);
            status.battery_low = health.battery_low.unwrap_or(status.battery_low);
            status.temperature_c = health.temperature_c.or(status.temperature_c);
        }
        // One housing, one report: it stands with the first of its sensors.
        if let Some(((tamper, at), &index)) = health.tamper.zip(health.sensors.first()) {
            self.sensors[index].tamper = Some((tamper, self.now, at));
        }
    }

    fn take_plots(&mut self, plots: &PlotReport, site: &Site, report: &mut Report) {
        let sensor = plots.sensor;
        let Some(scan) = geo::to_scan(plots, site, report) else { return };
        self.counters.add("plots", scan.detections.len() as u64);
        let status = &mut self.sensors[sensor];
        status.last_heard = Some(self.now);
        status.messages += 1;
        status.refusals = None;
        status.pace.count(self.now, &scan.detections);
        status.plots += scan.detections.len() as u64;
        if site.sensors[sensor].distress {
            self.counters.add("calls_for_help", scan.detections.len() as u64);
            self.calls.take_scan(&scan, self.now, site);
            self.news = true;
            return;
        }
        let step_s = self.aligner.push(scan, self.now, site);
        self.note_step(sensor, step_s, site);
    }

    fn note_step(&mut self, sensor: usize, step_s: Option<f64>, site: &Site) {
        if step_s.is_some() {
            self.counters.add_labelled("clock_steps", "sensor", &site.sensors[sensor].model.id, 1);
        }
    }

    fn take_radio(&mut self, source: String, radio: &RadioFrame, context: &Context<'_>, out: &mut Vec<Output>) {
        self.counters.add_labelled("frames", "codec", "wire", 1);
        let expected = context.site.mode == Mode::Exercise;
        if radio.exercise != expected {
            let named = |exercise| if exercise { "a node of an exercise" } else { "an actual node" };
            let fault = Fault::new(Reason::WrongMode, "node", named(expected), named(radio.exercise));
            self.note("wire", Report::refused(fault), context.site);
            // Not acknowledged: it belongs to another gateway, which must still get it.
            return;
        }
        let mut readings = Vec::new();
        let report = decode_radio(radio, context, &mut self.codecs, &mut readings);
        self.take_readings(None, readings, report, context.site);
        // Whatever it said, it has been heard: a node must not repeat for ever what nobody here understands.
        out.push(Output::Transmit(Transmit::RadioAck { source, node: radio.node, counter: radio.counter }));
    }

    /// Counts what a report says and keeps the newest of it for `status`.
    fn note(&mut self, codec: &str, report: Report, site: &Site) {
        self.counters.add("fields_ignored", report.ignored_fields);
        self.counters.add("node_events_missed", report.missed_events);
        self.counters.add("faults_not_listed", report.faults_not_listed);
        if let Some(id) = report.unknown_sensor {
            self.note_unknown_sensor(id, codec, self.now);
        }
        for fault in report.faults {
            if let Some((stamper, stamped)) = fault.stamper.zip(parse_rfc3339(&fault.got)) {
                match stamper {
                    Stamper::Sensor(index) => {
                        Refusals::note(&mut self.sensors[index].refusals, self.now, stamped);
                        if fault.reason == Reason::TimeInFuture {
                            let step_s = self.aligner.refused(index, stamped, self.now, site);
                            self.note_step(index, step_s, site);
                        }
                    }
                    Stamper::Unit(index) => self.units.refuse(index, self.now, stamped),
                }
            }
            self.counters.add_labelled("faults", "reason", fault.reason.name(), 1);
            if self.recent_faults.len() == MAX_RECENT_FAULTS {
                self.recent_faults.pop_front();
            }
            self.recent_faults.push_back((self.now, codec.to_owned(), fault));
        }
    }

    fn note_unknown_sensor(&mut self, id: String, codec: &str, now: Timestamp) {
        // Made-up names must not push out the first ones: those are more likely a forgotten configuration.
        if !self.unknown_sensors.contains_key(&id) && self.unknown_sensors.len() >= MAX_UNKNOWN_SENSORS {
            self.counters.add("unknown_sensors_not_listed", 1);
            return;
        }
        let codec = codec.to_owned();
        let unknown = UnknownSensor { id: id.clone(), codec, messages: 0, last_heard: now };
        let entry = self.unknown_sensors.entry(id).or_insert(unknown);
        entry.messages += 1;
        entry.last_heard = now;
    }
}
