//! The shore of Salesforce.
