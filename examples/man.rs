//! Writes the manual pages of the command line, one for each command: `make man`.

use std::path::PathBuf;
use std::{env, fs, io};

use scv_bridge::cli::command_line;

fn main() -> io::Result<()> {
    let folder = env::args_os().nth(1).map_or_else(|| PathBuf::from("target/man"), PathBuf::from);
    fs::create_dir_all(&folder)?;
    clap_mangen::generate_to(command_line(), &folder)?;
    println!("{}", folder.display());
    Ok(())
}
