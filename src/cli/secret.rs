//! `scv-bridge secret`: credentials for those who call the bridge.

use std::io::Write;
use std::process::ExitCode;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::Subcommand;
use openssl::error::ErrorStack;
use openssl::sha::sha256;

use crate::settings::client_id;

/// Make a secret for a client.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print a random secret, once, and the lines for the configuration.
    New {
        /// The client's id: the user name of the connector.
        #[arg(value_parser = client_id)]
        client: String,
    },
}

/// Prints a secret and the section that lets its holder in. `random` fills a buffer with random bytes.
///
/// # Errors
/// There is no randomness, or the output cannot be written.
pub fn run(
    args: &Args,
    random: &mut dyn FnMut(&mut [u8]) -> Result<(), ErrorStack>,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let Command::New { client } = &args.command;
    let mut bytes = [0_u8; 32];
    random(&mut bytes)?;
    let secret = URL_SAFE_NO_PAD.encode(bytes);
    let hash: String = sha256(secret.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    // Every visible ASCII character is allowed in an id, also those that TOML wants escaped.
    let id = toml_text(client);
    writeln!(out, "# For the connector; it is not shown again:")?;
    writeln!(out, "#   user name  {client}\n#   secret     {secret}\n")?;
    writeln!(out, "# For the configuration:")?;
    writeln!(out, "[[clients]]\nid = {id}\nsecret_sha256 = \"{hash}\"\ncall_centers = [\"*\"]")?;
    Ok(ExitCode::SUCCESS)
}

fn toml_text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_the_printed_secret() {
        let args = Args { command: Command::New { client: "webex-flow".to_owned() } };
        let mut out = Vec::new();
        let mut random = |bytes: &mut [u8]| {
            bytes.fill(7);
            Ok(())
        };
        run(&args, &mut random, &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap());
    }
}
