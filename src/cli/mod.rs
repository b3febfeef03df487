//! The command line: a file per command.

pub mod mock_salesforce;
pub mod translate;
