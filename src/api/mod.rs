//! The edge towards Webex flows: routes, credentials, bodies, the envelope.
