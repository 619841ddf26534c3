//! The site's weather station.

use serde::{Deserialize, Serialize};

use super::check::Checker;

/// Who tells the weather, as typed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeatherTable {
    /// Name, as it stands in its messages.
    pub id: String,
    /// Its names in other systems: `model:id` of rtl_433.
    #[serde(default)]
    pub aliases: Vec<String>,
}

impl WeatherTable {
    pub(super) fn check(&self, check: &mut Checker<'_>) {
        check.name("id", &self.id);
    }
}
