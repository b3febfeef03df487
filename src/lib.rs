//! scv-bridge: between Webex Contact Center and Salesforce Service Cloud Voice.

pub mod api;
pub mod app;
pub mod bridge;
pub mod certificate;
pub mod cli;
pub mod clock;
pub mod domain;
pub mod ids;
pub mod lifecycle;
pub mod mock;
pub mod phone;
pub mod salesforce;
pub mod settings;
pub mod store;
pub mod telemetry;
pub mod webex;
