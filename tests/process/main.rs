//! The real program, run as a user runs it: a process with its own environment, signals, sockets and output.

#[cfg(test)]
#[path = "../support/authority.rs"]
mod authority;
#[cfg(test)]
mod canary;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod deploy;
#[cfg(test)]
mod flow;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod monitoring;
#[cfg(test)]
mod program;
#[cfg(test)]
mod read_only;
#[cfg(test)]
mod rotation;
#[cfg(test)]
mod s_client;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod site;
#[cfg(test)]
mod stop;
#[cfg(test)]
mod strangers;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod webex;
