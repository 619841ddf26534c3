//! The command line of Vedette.

fn main() {}
