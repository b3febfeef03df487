//! Phone numbers: clean-up, rules and translation.
