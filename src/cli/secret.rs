//! `scv-bridge secret`: credentials for those who call the bridge.

use std::io::Write;
use std::process::ExitCode;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::Subcommand;
use openssl::error::ErrorStack;
use openssl::sha::sha256;

use crate::settings::{client_id, user_name};

/// Make a secret for a client.
#[derive(Debug, clap::Args)]
pub struct SecretArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: SecretCommand,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum SecretCommand {
    /// Print a random secret, once, and the lines for the configuration.
    New {
        /// The client's id: the user name of the connector.
        #[arg(value_parser = client_id)]
        client: String,
        /// Print a password for this user too: for connectors with OAuth's password grant.
        #[arg(long, value_name = "NAME", value_parser = user_name)]
        username: Option<String>,
    },
    /// Print a random key to sign access tokens with, alone: for the file that oauth.signing_key_file names.
    SigningKey,
}

/// Prints a secret and the section that lets its holder in, or a signing key. `random` fills a buffer with random bytes.
///
/// # Errors
/// There is no randomness, or the output cannot be written.
pub fn run(
    args: &SecretArgs,
    random: &mut dyn FnMut(&mut [u8]) -> Result<(), ErrorStack>,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let mut new = || -> Result<String, ErrorStack> {
        let mut bytes = [0_u8; 32];
        random(&mut bytes)?;
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    };
    match &args.command {
        SecretCommand::New { client, username } => {
            let secret = new()?;
            let user = username.as_ref().map(|name| new().map(|password| (name, password))).transpose()?;
            client_section(
                client,
                &secret,
                user.as_ref().map(|(name, word)| (name.as_str(), word.as_str())),
                out,
            )?;
        }
        SecretCommand::SigningKey => writeln!(out, "{}", new()?)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn client_section(
    client: &str,
    secret: &str,
    user: Option<(&str, &str)>,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    writeln!(out, "# For the connector; it is not shown again:")?;
    let (id_name, secret_name) = match user {
        Some(_) => ("client id", "client secret"),
        None => ("user name", "secret"),
    };
    let width = secret_name.len().max(id_name.len());
    writeln!(out, "#   {id_name:width$}  {client}\n#   {secret_name:width$}  {secret}")?;
    if let Some((name, password)) = user {
        writeln!(out, "#   {:width$}  {name}\n#   {:width$}  {password}", "user name", "password")?;
    }
    writeln!(out, "\n# For the configuration:")?;
    // Every visible ASCII character is allowed in an id, also those that TOML wants escaped.
    writeln!(out, "[[clients]]\nid = {}\nsecret_sha256 = \"{}\"", toml_text(client), hash(secret))?;
    if let Some((name, password)) = user {
        writeln!(out, "username = {}\npassword_sha256 = \"{}\"", toml_text(name), hash(password))?;
    }
    writeln!(out, "call_centers = [\"*\"]")
}

fn hash(secret: &str) -> String {
    hex::encode(sha256(secret.as_bytes()))
}

fn toml_text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(command: SecretCommand) -> String {
        let mut out = Vec::new();
        let mut next = 7;
        let mut random = |bytes: &mut [u8]| {
            bytes.fill(next);
            next += 1;
            Ok(())
        };
        run(&SecretArgs { command }, &mut random, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_hash_is_that_of_the_printed_secret() {
        insta::assert_snapshot!(printed(SecretCommand::New {
            client: "webex-flow".to_owned(),
            username: None
        }));
    }

    #[test]
    fn a_user_has_a_password_of_its_own() {
        let username = Some("webex@example.com".to_owned());
        insta::assert_snapshot!(printed(SecretCommand::New { client: "webex-flow".to_owned(), username }));
    }

    #[test]
    fn a_signing_key_stands_alone_so_that_it_can_be_written_into_a_file() {
        assert_eq!(printed(SecretCommand::SigningKey), "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc\n");
    }
}
