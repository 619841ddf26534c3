//! The subcommands, one a file.

pub(crate) mod generate;
pub(crate) mod play;
pub(crate) mod run;
