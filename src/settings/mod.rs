//! Typed configuration: every problem at once.
