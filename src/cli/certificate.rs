//! `scv-bridge certificate`: make a signing certificate, or show the content of one.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Subcommand;

use crate::certificate::{self, Description, IssuedPair};
use crate::clock::Clock;

/// Make a signing certificate, or show what one says.
#[derive(Debug, clap::Args)]
pub struct CertificateArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: CertificateCommand,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum CertificateCommand {
    /// Make a key and a self-signed certificate as Salesforce wants them.
    New(NewCertificate),
    /// Show what a certificate says.
    Show {
        /// A PEM file.
        file: PathBuf,
    },
}

/// Make a key and a self-signed certificate as Salesforce wants them.
#[derive(Debug, clap::Args)]
pub struct NewCertificate {
    /// Its name: letters, digits, underscores; the common name, and what flows send as certDevName.
    #[arg(value_parser = name)]
    pub name: String,
    /// Where to write NAME.key and NAME.crt.
    #[arg(long, value_name = "DIR", default_value = "certs")]
    pub out_dir: PathBuf,
    /// Size of the RSA key: 2048 or 4096.
    #[arg(long, default_value_t = 2048, value_parser = bits)]
    pub bits: u32,
    /// How many days it is valid.
    #[arg(long, default_value_t = 730, value_parser = clap::value_parser!(u32).range(1..=7300))]
    pub days: u32,
    /// Replace files that exist. The old key is lost.
    #[arg(long)]
    pub force: bool,
}

fn name(text: &str) -> Result<String, String> {
    match certificate::developer_name(text) {
        Ok(()) => Ok(text.to_owned()),
        Err(problem) => Err(format!("the name {problem}")),
    }
}

fn bits(text: &str) -> Result<u32, String> {
    match text {
        "2048" => Ok(2048),
        "4096" => Ok(4096),
        _ => Err("Salesforce takes 2048 or 4096".to_owned()),
    }
}

/// # Errors
/// A file cannot be read or written, or exists already.
pub fn run(args: &CertificateArgs, clock: &dyn Clock, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    match &args.command {
        CertificateCommand::New(new) => make(new, clock, out),
        CertificateCommand::Show { file } => show(file, clock, out),
    }
}

fn make(new: &NewCertificate, clock: &dyn Clock, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let NewCertificate { name, out_dir, .. } = new;
    let key_file = out_dir.join(format!("{name}.key"));
    let certificate_file = out_dir.join(format!("{name}.crt"));
    for file in [&key_file, &certificate_file] {
        if !new.force && file.exists() {
            bail!("{} exists; --force replaces it, and the old key is lost", file.display());
        }
    }
    fs::create_dir_all(out_dir).with_context(|| format!("cannot make {}", out_dir.display()))?;
    let IssuedPair { key_pem, certificate_pem } = certificate::issue(name, new.bits, new.days, clock.now())?;
    // The file is created with mode 0600, so that nobody but its owner can read the key at any time.
    write_new(&key_file, &key_pem, 0o600, new.force)?;
    write_new(&certificate_file, &certificate_pem, 0o644, new.force)?;
    let (key, certificate) = (key_file.display(), certificate_file.display());
    write!(
        out,
        "{key}  the private key; it stays here\n\
         {certificate}  the certificate; it goes to Salesforce\n\
         \n\
         Next:\n\
         1. Salesforce, api = \"telephony\": paste {certificate} into the contact center's\n   \
            \"Telephony Integration Certificate\".\n   \
            api = \"apex\": upload it to the external client app (or connected app), \"Use digital signatures\".\n\
         2. Configuration:\n\
         \n\
         [certificates.{name}]\n\
         certificate = \"{certificate}\"\n\
         private_key = \"{key}\"\n"
    )?;
    Ok(ExitCode::SUCCESS)
}

fn write_new(file: &Path, content: &[u8], mode: u32, replace: bool) -> anyhow::Result<()> {
    if replace {
        match fs::remove_file(file) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot replace {}", file.display()));
            }
            _ => {}
        }
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(file)
        .and_then(|mut opened| opened.write_all(content))
        .with_context(|| format!("cannot write {}", file.display()))
}

fn show(file: &Path, clock: &dyn Clock, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let pem = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let chain = match certificate::certificates(&pem) {
        Ok(chain) => chain,
        Err(problem) => bail!("{} {problem}; {}", file.display(), problem.hint()),
    };
    for (index, x509) in chain.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        write!(out, "{}", Description::of(x509, clock.now())?)?;
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::certificate::SigningCertificate;
    use crate::clock::ManualClock;

    fn clock() -> ManualClock {
        ManualClock::new("2026-11-21T10:00:00Z".parse().unwrap())
    }

    fn run_new(out_dir: &Path, force: bool) -> anyhow::Result<String> {
        let args = CertificateArgs {
            command: CertificateCommand::New(NewCertificate {
                name: "WebexCCSCV".to_owned(),
                out_dir: out_dir.to_owned(),
                bits: 2048,
                days: 730,
                force,
            }),
        };
        let mut out = Vec::new();
        run(&args, &clock(), &mut out)?;
        Ok(String::from_utf8(out)?.replace(&out_dir.display().to_string(), "[dir]"))
    }

    #[test]
    fn a_new_pair_is_usable_and_its_key_private() {
        let dir = tempfile::tempdir().unwrap();
        let out_dir = dir.path().join("certs");
        insta::assert_snapshot!(run_new(&out_dir, false).unwrap());
        let (key, crt) = (out_dir.join("WebexCCSCV.key"), out_dir.join("WebexCCSCV.crt"));
        let mode = fs::metadata(&key).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let (key, crt) = (fs::read(key).unwrap(), fs::read(crt).unwrap());
        SigningCertificate::from_pem("WebexCCSCV", &crt, &key, None, clock().now()).unwrap();
    }

    #[test]
    fn files_that_exist_are_replaced_only_by_force() {
        let dir = tempfile::tempdir().unwrap();
        run_new(dir.path(), false).unwrap();
        let key = dir.path().join("WebexCCSCV.key");
        let before = fs::read(&key).unwrap();
        let refused = run_new(dir.path(), false).unwrap_err().to_string();
        assert!(refused.ends_with("WebexCCSCV.key exists; --force replaces it, and the old key is lost"));
        assert_eq!(fs::read(&key).unwrap(), before);
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        run_new(dir.path(), true).unwrap();
        assert_ne!(fs::read(&key).unwrap(), before);
        let mode = fs::metadata(&key).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "also where the old one was readable");
    }

    #[test]
    fn show_prints_every_certificate_of_a_file_and_refuses_others() {
        let dir = tempfile::tempdir().unwrap();
        run_new(dir.path(), false).unwrap();
        let show = |file: &str| {
            let args = CertificateArgs { command: CertificateCommand::Show { file: dir.path().join(file) } };
            let mut out = Vec::new();
            run(&args, &clock(), &mut out).map(|_| String::from_utf8(out).unwrap())
        };
        let shown = show("WebexCCSCV.crt").unwrap();
        assert!(shown.starts_with("subject      CN=WebexCCSCV\n"), "{shown}");
        assert!(shown.contains("days left    730\n"), "{shown}");
        let refused = show("WebexCCSCV.key").unwrap_err().to_string();
        assert!(refused.contains("WebexCCSCV.key holds a private key, and no certificate; "), "{refused}");
    }
}
