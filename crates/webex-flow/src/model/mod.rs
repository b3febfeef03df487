//! A flow: its activities, links, variables and event flows, read from either format of export.
