//! `scv-bridge config`: the configurations that the program carries, for an installation without the sources beside it.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Subcommand;

use crate::settings::{DEFAULTS, EXAMPLE};

/// Print every setting with its default, or a configuration to begin with.
#[derive(Debug, clap::Args)]
pub struct ConfigArgs {
    /// What to print.
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// What to print.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum ConfigCommand {
    /// Print every setting with its default and what it means.
    Default,
    /// Print a configuration to begin with.
    Example,
}

/// Prints it.
///
/// # Errors
/// The output cannot be written.
pub fn run(args: &ConfigArgs, out: &mut dyn Write) -> io::Result<ExitCode> {
    let text = match args.command {
        ConfigCommand::Default => DEFAULTS,
        ConfigCommand::Example => EXAMPLE,
    };
    out.write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_the_file_of_the_sources() {
        for (command, file) in
            [(ConfigCommand::Default, "default.toml"), (ConfigCommand::Example, "example.toml")]
        {
            let mut out = Vec::new();
            run(&ConfigArgs { command }, &mut out).unwrap();
            let file = format!("{}/config/{file}", env!("CARGO_MANIFEST_DIR"));
            assert_eq!(String::from_utf8(out).unwrap(), std::fs::read_to_string(file).unwrap());
        }
    }
}
