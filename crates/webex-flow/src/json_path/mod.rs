//! JSONPath as Webex reads it: with the habits of the Jayway library.
