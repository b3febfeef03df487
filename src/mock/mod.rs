//! The mock Salesforce org over real HTTP, as strict as the real one.
