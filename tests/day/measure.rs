//! What the bridge's process costs, as the system counts it.

use std::fs;
use std::path::Path;
use std::time::Duration;

/// User and system time of a process until now: fields 14 and 15 of `proc_pid_stat(5)`, in hundredths of a second.
pub fn cpu(process: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields = stat.rsplit(')').next().unwrap();
    let ticks = fields.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().unwrap());
    Duration::from_millis(ticks.sum::<u64>() * 10)
}

/// The most memory that it ever had, in megabytes.
pub fn peak(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() / 1024
}

/// A database with its log, in megabytes.
pub fn size(database: &Path) -> f64 {
    let files = ["", "-wal"].map(|end| format!("{}{end}", database.display()));
    files.iter().filter_map(|file| fs::metadata(file).ok()).map(|file| file.len() as f64 / 1e6).sum()
}
