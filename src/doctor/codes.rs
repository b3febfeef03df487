//! The codes: each names one question that the doctor asks. A code never changes its meaning, and none is used again.

use std::fmt;
use std::str::FromStr;

/// Declares the codes, in the order in which their answers are printed.
macro_rules! codes {
    ($($(#[doc = $title:literal])+ $name:ident = $id:literal in $area:ident, $reach:ident;)*) => {
        /// A question to the world.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[doc = $title])+ $name,)*
        }

        impl Code {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// As it is printed.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// What is asked.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => concat!($($title),+).trim_ascii(),)* }
            }

            /// The area it belongs to.
            #[must_use]
            pub fn area(self) -> Area {
                match self { $(Self::$name => Area::$area,)* }
            }

            /// Whether the answer needs other machines.
            #[must_use]
            pub fn asks_others(self) -> bool {
                match self { $(Self::$name => Reach::$reach == Reach::Others,)* }
            }
        }
    };
}

/// Whom a check asks.
#[derive(PartialEq, Eq)]
enum Reach {
    /// This machine only.
    Here,
    /// Other machines, or another program on this one.
    Others,
}

/// What a check is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    /// The configuration and its files.
    Files,
    /// The clock.
    Clock,
    /// The database.
    Store,
    /// The listeners.
    Ports,
    /// Names.
    Dns,
    /// Connections.
    Tcp,
    /// Encryption.
    Tls,
    /// Addresses of APIs, and what is shown there.
    Token,
    /// What the token allows.
    Rights,
    /// Names and numbers by which calls are routed.
    Routing,
    /// Webex's APIs.
    Webex,
    /// The way from Webex to the bridge.
    WayBack,
}

impl Area {
    /// As it is printed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Clock => "clock",
            Self::Store => "store",
            Self::Ports => "ports",
            Self::Dns => "names",
            Self::Tcp => "connections",
            Self::Tls => "TLS",
            Self::Token => "tokens",
            Self::Rights => "rights",
            Self::Routing => "routing data",
            Self::Webex => "Webex",
            Self::WayBack => "way back",
        }
    }
}

codes! {
    /// the configuration and every file it names can be read and are in order
    Configuration = "SCV-FILE-01" in Files, Here;
    /// nothing is configured that works and is probably not meant
    Remarks = "SCV-FILE-02" in Files, Here;
    /// each private key fits its certificate, and Salesforce takes the pair
    Pair = "SCV-CERT-01" in Files, Here;
    /// each certificate is valid for longer than rotation.warn_before
    CertificateEnd = "SCV-CERT-02" in Files, Here;
    /// the clock agrees with the header Date of Salesforce
    Clock = "SCV-CLOCK-01" in Clock, Others;
    /// the database can be opened and written, or the service that runs has it
    Database = "SCV-STORE-01" in Store, Here;
    /// no entry of the outbox is buried
    Buried = "SCV-STORE-02" in Store, Here;
    /// a service runs that sends what waits in the outbox
    Unsent = "SCV-STORE-03" in Store, Here;
    /// the listeners' addresses are free, or the service that runs has them and is ready
    Listener = "SCV-PORT-01" in Ports, Here;
    /// each host name is known
    Name = "SCV-DNS-01" in Dns, Others;
    /// each host is one of Salesforce's of the right kind
    HostKind = "SCV-DNS-02" in Dns, Here;
    /// each host takes connections
    Connection = "SCV-TCP-01" in Tcp, Others;
    /// each host shows a certificate that is trusted and speaks for its name
    Handshake = "SCV-TLS-01" in Tls, Others;
    /// telephony_url is the address of a telephony API that answers
    TelephonyAddress = "SCV-URL-01" in Token, Others;
    /// login_url is the address of a token endpoint that answers
    LoginAddress = "SCV-URL-02" in Token, Others;
    /// Salesforce gives the OAuth session
    Session = "SCV-TOKEN-01" in Token, Others;
    /// the session belongs to the configured org, and its instance_url is Salesforce's
    SessionOrg = "SCV-TOKEN-02" in Token, Others;
    /// the telephony API takes the token that the bridge signs
    TelephonyToken = "SCV-TOKEN-03" in Token, Others;
    /// the contact center may use the telephony API
    TelephonyRight = "SCV-RIGHT-01" in Rights, Others;
    /// the user of the session may run the Apex class over the REST API
    ApexRight = "SCV-RIGHT-02" in Rights, Others;
    /// the user of the session may query VoiceCalls (ask_salesforce)
    QueryRight = "SCV-RIGHT-03" in Rights, Others;
    /// the phone number rules meet their examples
    Examples = "SCV-ROUTE-01" in Routing, Here;
    /// Salesforce answers a harmless clearRouting as for a call that it does not know
    ClearRouting = "SCV-ROUTE-02" in Routing, Others;
    /// a login at Webex is kept, can be read and lasts
    WebexLogin = "SCV-WEBEX-01" in Webex, Here;
    /// Webex takes the login for its Subscriptions API
    WebexApi = "SCV-WEBEX-02" in Webex, Others;
    /// the subscriptions of this bridge are there and active
    Subscriptions = "SCV-WEBEX-03" in Webex, Others;
    /// public_url is an address that Webex takes
    PublicAddress = "SCV-BACK-01" in WayBack, Here;
    /// public_url shows the whole chain of a certificate for its name to who knows public authorities only
    PublicChain = "SCV-BACK-02" in WayBack, Others;
    /// the bridge answers under public_url, and in time
    PublicAnswer = "SCV-BACK-03" in WayBack, Others;
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl FromStr for Code {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.iter().find(|code| code.id().eq_ignore_ascii_case(text.trim()));
        known.copied().ok_or_else(|| {
            format!("{text:?} is no code; `scv-bridge doctor --list` prints all, such as {}", Self::Handshake)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_read_as_it_is_printed_and_there_once() {
        let ids: BTreeSet<_> = Code::ALL.iter().map(|code| code.id()).collect();
        assert_eq!(ids.len(), Code::ALL.len());
        for code in Code::ALL {
            assert_eq!(code.to_string().to_lowercase().parse(), Ok(*code));
            assert!(!code.title().is_empty() && !code.title().ends_with('.'), "{code}");
        }
        assert!("SCV-TLS-99".parse::<Code>().unwrap_err().contains("--list"));
    }
}
