//! The command line: a file per command.

pub mod certificate;
pub mod check;
pub mod mock_salesforce;
pub mod secret;
