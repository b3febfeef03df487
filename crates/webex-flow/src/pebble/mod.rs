//! Expressions of flows: the part of the Pebble template language that Webex has, with its semantics.
