//! Acts of operators: placed in the ledger, sent by the centre, answered by the gateway.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::ValueEnum;
use vedette_centre::{OrderRecord, SqliteLedger};
use vedette_gateway::engine::time::parse_rfc3339;
use vedette_gateway::engine::{self, Act, CloseReason, Command, MAX_SHELVED_S, Timestamp};

use super::ledger::History;
use crate::clock_time::{now, to_the_second};
use crate::outcome::{Outcome, Wrong};
use crate::plain::{name, printable, words};

/// Time between looks for the answer.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Minutes in [`MAX_SHELVED_S`].
const MAX_SHELVED_MIN: i64 = 7 * 24 * 60;
/// Version of the messages to gateways.
const ORDER_VERSION: u32 = 1;

/// What every act names.
#[derive(Debug, clap::Args)]
pub(super) struct Common {
    /// The alert: its id, or the beginning of it
    alert: String,
    /// Who acts
    #[arg(long, default_value_t = crate::commands::whoami(), value_parser = name)]
    by: String,
    /// Wait this long for the gateway's answer, seconds; the order stands either way
    #[arg(long, value_name = "S", default_value_t = 30.0, value_parser = from_zero)]
    wait: f64,
    /// The gateway is not to carry it out after this many hours
    #[arg(long, value_name = "H", default_value_t = 24.0, value_parser = from_zero)]
    valid_hours: f64,
}

/// An act that can be ordered.
pub(super) trait Ordered {
    fn common(&self) -> &Common;
    fn act(&self, alert: String, now: Timestamp) -> anyhow::Result<Act>;
}

macro_rules! ordered {
    ($(#[$doc:meta])* $name:ident { $($fields:tt)* } |$this:ident, $alert:ident, $now:ident| $act:expr) => {
        $(#[$doc])*
        #[derive(Debug, clap::Args)]
        pub(super) struct $name {
            #[command(flatten)]
            common: Common,
            $($fields)*
        }

        impl Ordered for $name {
            fn common(&self) -> &Common {
                &self.common
            }

            fn act(&self, $alert: String, $now: Timestamp) -> anyhow::Result<Act> {
                let $this = self;
                $act
            }
        }
    };
}

ordered! {
    Acknowledge {} |_this, alert, _now| Ok(Act::Acknowledge { alert })
}

ordered! {
    Assign {
        /// Who works on it
        #[arg(long, value_parser = words)]
        to: String,
    } |this, alert, _now| Ok(Act::Assign { alert, to: this.to.clone() })
}

ordered! {
    Close {
        /// Why
        #[arg(long, value_enum)]
        reason: Reason,
    } |this, alert, _now| Ok(Act::Close { alert, reason: this.reason.into() })
}

ordered! {
    Shelve {
        /// When it shows again, within seven days: a time such as 2026-03-01T06:00:00Z
        #[arg(long, value_name = "TIME", required_unless_present = "minutes", conflicts_with = "minutes", value_parser = parse_time)]
        until: Option<Timestamp>,
        /// After how many minutes it shows again
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MAX_SHELVED_MIN))]
        minutes: Option<u32>,
    } |this, alert, now| {
        let until = this.until.unwrap_or_else(|| now.plus_seconds(60.0 * f64::from(this.minutes.unwrap_or(0))));
        let latest = now.plus_seconds(MAX_SHELVED_S);
        if until > latest {
            let [latest, got] = [latest, until].map(to_the_second);
            return Err(Wrong(format!("--until: expected a time within seven days, until {latest}, got {got}")).into());
        }
        Ok(Act::Shelve { alert, until })
    }
}

ordered! {
    Unshelve {} |_this, alert, _now| Ok(Act::Unshelve { alert })
}

ordered! {
    Release {
        /// Of an alert about many: the member to be told of alone, by its name or key in `alerts show`; all of them when absent
        #[arg(long, value_name = "NAME", value_parser = words)]
        member: Option<String>,
    } |this, alert, _now| Ok(Act::Release { alert, member: this.member.clone() })
}

ordered! {
    Comment {
        /// The remark
        #[arg(value_parser = words)]
        text: String,
    } |this, alert, _now| Ok(Act::Comment { alert, text: this.text.clone() })
}

ordered! {
    Grade {
        /// Source and content: a letter from A (reliable) to F (cannot be judged), a digit from 1 (confirmed) to 6
        grade: engine::Grade,
    } |this, alert, _now| Ok(Act::Grade { alert, grade: this.grade })
}

/// Why people close alerts.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Reason {
    /// It was what it said
    Real,
    /// There was something, but nothing that needed anybody
    Nuisance,
    /// There was nothing
    False,
    /// It was an exercise
    Exercise,
}

impl From<Reason> for CloseReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Real => Self::Real,
            Reason::Nuisance => Self::Nuisance,
            Reason::False => Self::False,
            Reason::Exercise => Self::Exercise,
        }
    }
}

pub(super) fn parse_time(text: &str) -> Result<Timestamp, String> {
    parse_rfc3339(text).ok_or_else(|| "expected a time such as 2026-03-01T06:00:00Z".to_owned())
}

fn from_zero(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (0.0..=1e6).contains(number));
    number.ok_or_else(|| "expected a number from 0 to 1000000".to_owned())
}

/// Places the order and waits for its answer.
pub(super) fn run(ordered: &impl Ordered, history: &History, ledger: &Path) -> anyhow::Result<Outcome> {
    let common = ordered.common();
    let (id, known) = history.find(&common.alert)?;
    let now = now();
    let command =
        Command { id: order_id(now), by: common.by.clone(), expires_at: None, act: ordered.act(id.to_owned(), now)? };
    let expires_at = now.plus_seconds(3_600.0 * common.valid_hours);
    let order = vedette_centre::Order { v: ORDER_VERSION, command, expires_at };
    let gateway =
        vedette_centre::GatewayId::new(&*known.gateway).with_context(|| format!("gateway {}", known.gateway))?;
    let record = OrderRecord { gateway, order, answer: None };
    SqliteLedger::place_order(ledger, &record)?;
    let deadline = Instant::now() + Duration::from_secs_f64(common.wait);
    loop {
        let placed = SqliteLedger::order(ledger, &record.gateway, &record.order.command.id)?;
        if let Some(answer) = placed.and_then(|placed| placed.answer) {
            if !answer.done {
                bail!("{}: {}", known.gateway, printable(&answer.detail));
            }
            writeln!(std::io::stdout(), "{}", printable(&answer.detail))?;
            return Ok(Outcome::Done);
        }
        if Instant::now() >= deadline {
            let until = to_the_second(expires_at);
            writeln!(std::io::stdout(), "no answer of {} yet; the order stands until {until}", known.gateway)?;
            return Ok(Outcome::Done);
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// An id no other order has: the time and this process.
fn order_id(now: Timestamp) -> String {
    format!("op-{:x}-{:x}", now.as_micros(), std::process::id())
}
