//! From a frame to scans waiting in the aligner, and the counts of everything that did not get there.

use vedette_tracker::Timestamp;

use super::state::{MAX_RECENT_FAULTS, MAX_UNKNOWN_SENSORS, State};
use crate::codec::{Context, Fault, PlotReport, Reading, Reason, Report, codec_named};
use crate::config::Site;
use crate::input::{Frame, FrameContent, RadioFrame};
use crate::output::Transmit;
use crate::status::UnknownSensor;
use crate::{Output, geo};

impl State {
    pub(super) fn take_frame(&mut self, frame: Frame, site: &Site, out: &mut Vec<Output>) {
        match frame.content {
            FrameContent::Message { codec, topic, retained, bytes } => {
                let context = Context { site, topic: topic.as_deref(), retained, received: frame.received };
                self.take_message(&codec, &bytes, &context);
            }
            FrameContent::Radio(radio) => self.take_radio(&frame.source, &radio, out),
        }
    }

    fn take_message(&mut self, name: &str, bytes: &[u8], context: &Context<'_>) {
        let Some(codec) = codec_named(name) else {
            self.counters.add_labelled("frames", "codec", "unknown", 1);
            let fault = Fault::new(Reason::UnknownCodec, "codec", "a codec this program has", name);
            self.note(name, Report::refused(fault));
            return;
        };
        self.counters.add_labelled("frames", "codec", codec.name, 1);
        let mut readings = Vec::new();
        let mut report = (codec.decode)(bytes, context, &mut self.codecs, &mut readings);
        for reading in readings {
            match reading {
                Reading::Plots(plots) => self.take_plots(&plots, context.site, &mut report),
            }
        }
        self.note(codec.name, report);
    }

    fn take_plots(&mut self, plots: &PlotReport, site: &Site, report: &mut Report) {
        let sensor = plots.sensor;
        let Some(scan) = geo::to_scan(plots, site, report) else { return };
        self.counters.add("plots", scan.detections.len() as u64);
        let status = &mut self.sensors[sensor];
        status.last_heard = Some(self.now);
        status.messages += 1;
        status.plots += scan.detections.len() as u64;
        self.aligner.push(scan, self.now, site);
    }

    fn take_radio(&mut self, source: &str, radio: &RadioFrame, out: &mut Vec<Output>) {
        self.counters.add_labelled("frames", "codec", "wire", 1);
        let (node, counter) = (radio.node, radio.counter);
        out.push(Output::Transmit(Transmit::RadioAck { source: source.to_owned(), node, counter }));
    }

    /// Counts what a report says and keeps the newest of it for `status`.
    fn note(&mut self, codec: &str, report: Report) {
        self.counters.add("fields_ignored", report.ignored_fields);
        self.counters.add("faults_not_listed", report.faults_not_listed);
        if let Some(id) = report.unknown_sensor {
            self.note_unknown_sensor(id, codec, self.now);
        }
        for fault in report.faults {
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
