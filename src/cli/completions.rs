//! `scv-bridge completions`: what a shell needs to complete the command line.

use std::io::{self, Write};
use std::process::ExitCode;

use clap_complete::Shell;

/// Print what a shell needs to complete this command line.
#[derive(Debug, clap::Args)]
#[command(after_help = "For bash: scv-bridge completions bash > /etc/bash_completion.d/scv-bridge")]
pub struct CompletionsArgs {
    /// The shell.
    pub shell: Shell,
}

/// Prints it.
///
/// # Errors
/// The output cannot be written.
pub fn run(args: &CompletionsArgs, out: &mut dyn Write) -> io::Result<ExitCode> {
    // Written at once: `generate` panics where its output closes, as that of `| head` does.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command_line(), "scv-bridge", &mut script);
    out.write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn every_shell_completes_every_command() {
        for shell in Shell::value_variants() {
            let mut out = Vec::new();
            run(&CompletionsArgs { shell: *shell }, &mut out).unwrap();
            let script = String::from_utf8(out).unwrap();
            let line = crate::cli::command_line();
            for command in line.get_subcommands().map(clap::Command::get_name) {
                assert!(script.contains(command), "{shell}: {command}");
            }
        }
    }
}
