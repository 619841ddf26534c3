//! Opened radio payloads of nodes: events with ages, telemetry and signs of life; and the places of those that own units carry.

use vedette_tracker::{ClassProbabilities, Direction, SensorKind, Timestamp};
use vedette_wire::PayloadError;
use vedette_wire::payload::{
    Admitted, Call, Crossing, Event, EventKind, Events, GroundSource, Payload, Position, TICKS_PER_SECOND, TamperCause,
    Telemetry,
};

use super::{
    CodecState, Context, Distress, Fault, HealthReport, Measured, OwnPosition, Plot, PlotReport, Reading, Reason,
    Report, Spot,
};
use crate::input::RadioFrame;
use crate::rules::Tamper;

/// An event older than this at its reception is of no use to any track.
const MAX_AGE_S: f64 = 3_600.0;

/// Decodes one payload whose seal and counter the gateway has checked.
pub(crate) fn decode(
    radio: &RadioFrame,
    context: &Context<'_>,
    state: &mut CodecState,
    readings: &mut Vec<Reading>,
) -> Report {
    if let Some(unit) = context.site.unit_of_node(radio.node) {
        return decode_carried(unit, radio, context, readings);
    }
    let sensors = context.site.sensors_of_node(radio.node);
    if sensors.is_empty() {
        let got = format!("node {}", radio.node);
        let fault = Fault::new(Reason::UnknownSensor, "node", "a sensor with this node", &got);
        return Report { unknown_sensor: Some(got), ..Report::refused(fault) };
    }
    let mut report = Report::default();
    let alive = HealthReport { sensors: sensors.to_vec(), ..HealthReport::default() };
    match Payload::decode(&radio.payload) {
        Ok(Payload::Events(events)) => {
            readings.push(Reading::Health(alive));
            Node { number: radio.node, sensors, context }.take_events(&events, state, &mut report, readings);
        }
        Ok(Payload::Telemetry(telemetry)) => readings.push(Reading::Health(health(alive, &telemetry, context))),
        Ok(Payload::Hello(_)) => readings.push(Reading::Health(alive)),
        Ok(Payload::Position(_)) => {
            // It is alive; that its place is anybody's only the configuration can say.
            readings.push(Reading::Health(alive));
            let got = format!("node {} of sensor {}", radio.node, context.site.sensors[sensors[0]].model.id);
            report.fault(Fault::new(Reason::UnknownUnit, "node", "a node that a [[unit]] carries", &got));
        }
        Ok(Payload::Acknowledgement(_) | Payload::Time(_) | Payload::NewKey(_)) => report.fault(sent_by_gateways()),
        Err(error) => report.fault(unreadable(&error)),
    }
    report
}

/// What the node says that an own unit carries. It has no sensors; that it lives shows in its places.
fn decode_carried(unit: usize, radio: &RadioFrame, context: &Context<'_>, readings: &mut Vec<Reading>) -> Report {
    match Payload::decode(&radio.payload) {
        Ok(Payload::Position(position)) => {
            readings.push(Reading::OwnPosition(own_position(unit, &position, context)));
            Report::default()
        }
        Ok(Payload::Telemetry(_) | Payload::Hello(_)) => Report::default(),
        Ok(Payload::Events(_)) => {
            let got = format!("events of node {}, which unit {} carries", radio.node, context.site.units[unit].id);
            Report::refused(Fault::new(Reason::UnknownSensor, "node", "a sensor with this node", &got))
        }
        Ok(Payload::Acknowledgement(_) | Payload::Time(_) | Payload::NewKey(_)) => Report::refused(sent_by_gateways()),
        Err(error) => Report::refused(unreadable(&error)),
    }
}

fn own_position(unit: usize, position: &Position, context: &Context<'_>) -> OwnPosition {
    let age_s = f64::from(position.age_ticks) / f64::from(TICKS_PER_SECOND);
    OwnPosition {
        unit,
        time: context.received.plus_seconds(-age_s),
        spot: Spot::Wgs84 { lat: f64::from(position.lat_e7) / 1e7, lon: f64::from(position.lon_e7) / 1e7 },
        sd_m: f64::from(position.sd_dm) / 10.0,
        distress: match position.call {
            Call::None => None,
            Call::Help => Some(Distress::Calls),
            Call::CalledOff => Some(Distress::CalledOff),
        },
    }
}

fn sent_by_gateways() -> Fault {
    Fault::new(Reason::OutOfRange, "payload", "a payload that nodes send", "one that gateways send")
}

fn unreadable(error: &PayloadError) -> Fault {
    Fault::new(Reason::Malformed, "payload", "a payload this program reads", &error.to_string())
}

fn health(alive: HealthReport, telemetry: &Telemetry, context: &Context<'_>) -> HealthReport {
    HealthReport {
        battery_mv: Some(telemetry.battery_mv),
        battery_low: Some(telemetry.flags.low_battery),
        temperature_c: Some(f64::from(telemetry.temperature_cdeg) / 100.0),
        tamper: telemetry.flags.tamper.then_some((Tamper::Unknown, context.received)),
        ..alive
    }
}

/// The node whose payload is being decoded.
struct Node<'a> {
    number: u32,
    sensors: &'a [usize],
    context: &'a Context<'a>,
}

impl Node<'_> {
    fn take_events(&self, events: &Events, state: &mut CodecState, report: &mut Report, readings: &mut Vec<Reading>) {
        for (index, (number, event)) in events.numbered().enumerate() {
            match state.admit_event(self.number, number) {
                Admitted::Repeat => {
                    let fault =
                        Fault::new(Reason::Duplicate, "number", "a new event", &format!("event {number} again"));
                    report.fault(fault.of_plot(index));
                    continue;
                }
                Admitted::New { missed } => report.missed_events += u64::from(missed),
            }
            match self.reading(index, event) {
                Ok(reading) => readings.push(reading),
                Err(fault) => report.fault(fault.of_plot(index)),
            }
        }
    }

    fn reading(&self, index: usize, event: &Event) -> Result<Reading, Fault> {
        let age_s = f64::from(event.age_ticks) / f64::from(TICKS_PER_SECOND);
        let time = self.context.received.plus_seconds(-age_s);
        let strength = (event.strength_half_db > 0).then(|| f64::from(event.strength_half_db) / 2.0);
        let (kind, measured, class) = match event.kind {
            EventKind::Pir => (SensorKind::Pir, Measured::Presence { strength }, None),
            EventKind::Seismic(source) => (SensorKind::Seismic, Measured::Presence { strength }, ground_class(source)),
            EventKind::Tripwire(way) => {
                let direction = way.map(|way| match way {
                    Crossing::In => Direction::In,
                    Crossing::Out => Direction::Out,
                });
                (SensorKind::Tripwire, Measured::Crossing { direction }, None)
            }
            EventKind::Tamper(cause) => return Ok(Reading::Health(self.tampered(cause, time))),
        };
        if event.age_at_least {
            let got = format!("at least {age_s:.0} s, before the node's last start");
            return Err(Fault::new(Reason::TimeUnknown, "age", "a known age", &got));
        }
        if age_s > MAX_AGE_S {
            return Err(Fault::new(Reason::TimeTooOld, "age", "at most 3600 s", &format!("{age_s:.0} s")));
        }
        let is_kind = |&&sensor: &&usize| self.context.site.sensors[sensor].model.kind == kind;
        let Some(&sensor) = self.sensors.iter().find(is_kind) else {
            let expected = format!("a {kind:?} at node {}", self.number).to_lowercase();
            return Err(Fault::new(Reason::WrongSensor, "kind", &expected, "none configured"));
        };
        let plot = Plot { index, measured, class, confidence: None, object: None };
        Ok(Reading::Plots(PlotReport { sensor, time, at: None, plots: vec![plot] }))
    }

    fn tampered(&self, cause: TamperCause, time: Timestamp) -> HealthReport {
        let tamper = match cause {
            TamperCause::Opened => Tamper::Opened,
            TamperCause::Moved => Tamper::Moved,
        };
        HealthReport { sensors: self.sensors.to_vec(), tamper: Some((tamper, time)), ..HealthReport::default() }
    }
}

/// What a geophone's verdict is worth: hooves and boots are hard to tell apart, engines are not.
fn ground_class(source: GroundSource) -> Option<ClassProbabilities> {
    match source {
        GroundSource::Unclassified => None,
        GroundSource::Footsteps => Some(ClassProbabilities { person: 0.6, animal: 0.35, vehicle: 0.05 }),
        GroundSource::Vehicle => Some(ClassProbabilities { person: 0.05, animal: 0.05, vehicle: 0.9 }),
    }
}
