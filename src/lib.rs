//! scv-bridge: between Webex Contact Center and Salesforce Service Cloud Voice.

pub mod api;
pub mod bridge;
pub mod certificate;
pub mod cli;
pub mod clock;
pub mod domain;
pub mod mock;
pub mod phone;
pub mod salesforce;
pub mod settings;
pub mod webex;
