//! The tongue of Webex Contact Center.
