//! Signing certificates: read, described and made.
