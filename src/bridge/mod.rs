//! What happens to a call: one verb a file.
