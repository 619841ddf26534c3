//! The subcommands, one a file.

pub(crate) mod campaign;
pub(crate) mod counts;
pub(crate) mod faults;
pub(crate) mod generate;
pub(crate) mod hil;
pub(crate) mod load;
pub(crate) mod play;
pub(crate) mod reliability;
pub(crate) mod run;
