//! What is known about the exact words of Salesforce and Webex: a pure table from words to cause and remedy.
//!
//! Texts hold names in braces, such as `{username}`, which [`KnownFault::finding`] fills with those of the configuration.

use super::{Finding, Text};

/// Who said the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// Salesforce's token endpoint.
    Login,
    /// Salesforce's REST API, with the Apex class behind it.
    Rest,
    /// The telephony API. Nobody has published its errors: only the status counts.
    Telephony,
    /// Webex's APIs.
    Webex,
}

/// Words that are known.
#[derive(Debug, Clone, Copy)]
pub struct KnownFault {
    /// Who says them.
    pub speaker: Speaker,
    /// The stable word for this fault.
    pub fault: &'static str,
    /// The statuses that it comes with; none: any.
    pub statuses: &'static [u16],
    /// One of these is in the words, in lower case; none: the status is enough.
    pub words: &'static [&'static str],
    /// What is so.
    pub what: &'static str,
    /// Why, the likeliest first.
    pub causes: &'static [&'static str],
    /// What to do.
    pub steps: &'static [&'static str],
}

/// The first that fits, if any does.
#[must_use]
pub fn recognize(speaker: Speaker, status: u16, words: &str) -> Option<&'static KnownFault> {
    let words = words.to_lowercase();
    KNOWN.iter().find(|known| {
        known.speaker == speaker
            && (known.statuses.is_empty() || known.statuses.contains(&status))
            && (known.words.is_empty() || known.words.iter().any(|word| words.contains(word)))
    })
}

/// Names in braces, and what they stand for.
pub type Names<'a> = &'a [(&'static str, &'a str)];

/// `text` with its names filled in.
#[must_use]
pub fn fill(text: &str, names: Names<'_>) -> Text {
    let filled = names.iter().fold(text.to_owned(), |text, (name, value)| {
        let braced = ["{", name, "}"].concat();
        text.replace(&braced, value)
    });
    Text::from(filled)
}

impl KnownFault {
    /// What a check finds that was told these words.
    #[must_use]
    pub fn finding(&self, names: Names<'_>) -> Finding {
        let finding = Finding::fail(self.fault, fill(self.what, names));
        let finding = self.causes.iter().fold(finding, |finding, cause| finding.cause(fill(cause, names)));
        self.steps.iter().fold(finding, |finding, step| finding.step(fill(step, names)))
    }
}

/// All of them; of those that fit the same words, the closest stands first.
pub static KNOWN: &[KnownFault] = &[
    KnownFault {
        speaker: Speaker::Login,
        fault: "not-approved",
        statuses: &[],
        words: &["user hasn't approved this consumer", "user hasn\u{2019}t approved this consumer"],
        what: "{username} has not approved the app, and nobody has for them",
        causes: &[
            "the user is not pre-approved for the app",
            "the permission set that assigns the app has the licence Salesforce API Integration, which cannot hold an app",
            "{section}.login_url leads to another org than the app's and the user's: production in place of a sandbox, or the reverse",
            "the sandbox was refreshed, which takes assignments away",
        ],
        steps: &[
            "Setup > External Client App Manager > the app > Policies: Permitted Users = Admin approved users are pre-authorized, then assign the profile of {username}, or a permission set without that licence",
            "compare {section}.username and {section}.login_url ({login}) with Setup > Users and Setup > My Domain",
        ],
    },
    KnownFault {
        speaker: Speaker::Login,
        fault: "not-admin-approved",
        statuses: &[],
        words: &["invalid_app_access", "not admin approved"],
        what: "an administrator has restricted the app, and not to {username}",
        causes: &[
            "the user has neither a profile nor a permission set that the app is assigned to",
            "the permission set that assigns the app has the licence Salesforce API Integration, which cannot hold an app",
        ],
        steps: &[
            "Setup > External Client App Manager > the app > Policies: assign the profile of {username}, or a permission set of theirs",
        ],
    },
    KnownFault {
        speaker: Speaker::Login,
        fault: "consumer-key",
        statuses: &[],
        words: &["client identifier invalid", "invalid_client_id"],
        what: "the org has no app with this consumer key",
        causes: &[
            "{section}.consumer_key is mistyped, or of an app in another org",
            "the app is younger than ten minutes",
        ],
        steps: &[
            "copy it again: Setup > External Client App Manager > the app > Settings > OAuth Settings > Consumer Key and Secret, into the file of {section}.consumer_key_file",
            "where the app is new: wait ten minutes, then run `scv-bridge doctor --only SCV-TOKEN-01`",
        ],
    },
    KnownFault {
        speaker: Speaker::Login,
        fault: "app-elsewhere",
        statuses: &[],
        words: &["external client app is not installed", "oauth_ec_app_not_found"],
        what: "the app is not installed in this org",
        causes: &[
            "the app was made in another org, mostly production, and never installed in this sandbox",
            "the sandbox was refreshed",
        ],
        steps: &[
            "Setup > External Client App Manager: install or make the app in the org of {login}, and put its consumer key into the file of {section}.consumer_key_file",
            "or let {section}.login_url name the My Domain of the org that has the app",
        ],
    },
    KnownFault {
        speaker: Speaker::Login,
        fault: "app-blocked",
        statuses: &[],
        words: &["oauth_app_blocked", "this app is blocked by admin"],
        what: "an administrator has blocked the app",
        causes: &["the app is blocked", "usage of apps that are not installed is restricted in this org"],
        steps: &["Setup > Connected Apps OAuth Usage: unblock the app, or install it"],
    },
    KnownFault {
        speaker: Speaker::Login,
        fault: "audience",
        statuses: &[],
        words: &["audience is invalid", "audience validation failed"],
        what: "Salesforce does not take the audience of the assertion, {audience}",
        causes: &[
            "the audience is that of production and the org a sandbox, or the reverse",
            "the audience has a path or a slash at its end",
            "the org takes its My Domain only",
        ],
        steps: &[
            "set {section}.{audience_key} = \"https://login.salesforce.com\" for production, \"https://test.salesforce.com\" for a sandbox; login_url may stay the My Domain",
        ],
    },
    KnownFault {
        speaker: Speaker::Login,
        fault: "certificate",
        statuses: &[],
        words: &["invalid assertion"],
        what: "the app does not know the certificate that signs the assertion, {certificate}",
        causes: &[
            "another certificate was uploaded to the app than the one of the key that signs",
            "the certificate is larger than 4 KB, or its key is not RSA",
        ],
        steps: &[
            "`scv-bridge certificate show` the file of certificates.{certificate}.certificate, and compare its SHA-256 with the app's",
            "Setup > External Client App Manager > the app > Settings > OAuth Settings > Use digital signatures: upload that file",
        ],
    },
    KnownFault {
        speaker: Speaker::Login,
        fault: "expired",
        statuses: &[],
        words: &["expired authorization code", "assertion is expired", "assertion has expired"],
        what: "Salesforce takes the assertion for expired",
        causes: &["the clock of this machine is behind", "the request was on its way for minutes"],
        steps: &["let this machine follow an NTP server, such as with `timedatectl set-ntp true`"],
    },
    KnownFault {
        speaker: Speaker::Login,
        fault: "flow-off",
        statuses: &[],
        words: &["grant type not supported", "unsupported_grant_type"],
        what: "the app does not offer the JWT bearer flow",
        causes: &[
            "the JWT bearer flow is not enabled in the app",
            "{section}.login_url is another host's: {login}",
            "a proxy between changes the body of the request",
        ],
        steps: &[
            "Setup > External Client App Manager > the app > Settings > OAuth Settings: Enable OAuth, then Enable JWT Bearer Flow",
        ],
    },
    KnownFault {
        speaker: Speaker::Login,
        fault: "run-as",
        statuses: &[],
        words: &["no client credentials user enabled"],
        what: "the app has no user to run as",
        causes: &["the client credentials flow is asked for, and the app names no user"],
        steps: &["Setup > External Client App Manager > the app > Policies: set Run As"],
    },
    KnownFault {
        speaker: Speaker::Login,
        fault: "client-secret",
        statuses: &[],
        words: &["invalid client credentials"],
        what: "Salesforce wants a client secret that is right",
        causes: &["the app offers the client credentials flow only, in place of the JWT bearer flow"],
        steps: &[
            "Setup > External Client App Manager > the app > Settings > OAuth Settings: Enable JWT Bearer Flow, with the certificate",
        ],
    },
    KnownFault {
        speaker: Speaker::Login,
        fault: "ip",
        statuses: &[],
        words: &["ip restricted", "restricted ip"],
        what: "the address of this machine is not among those from which {username} may log in",
        causes: &[
            "the profile of the user has Login IP Ranges without the address by which this machine goes out",
            "the app enforces IP restrictions",
        ],
        steps: &[
            "Setup > Users > {username} > Login History shows the address beside Restricted IP: add it to the Login IP Ranges of the user's profile",
            "or Setup > External Client App Manager > the app > Policies: IP Relaxation = Relax IP restrictions",
        ],
    },
    KnownFault {
        speaker: Speaker::Login,
        fault: "user",
        statuses: &[],
        words: &["inactive user", "user is locked", "user is inactive", "authentication failure"],
        what: "{username} cannot log in",
        causes: &[
            "the user is deactivated",
            "the user is locked",
            "it is outside the login hours of the profile",
        ],
        steps: &["Setup > Users > {username}: activate or unlock; look at the Login Hours of the profile"],
    },
    KnownFault {
        speaker: Speaker::Rest,
        fault: "scope",
        statuses: &[401],
        words: &["this session is not valid for use with the rest api"],
        what: "the session may not use the REST API",
        causes: &[
            "the app lacks the scope `api`",
            "the app enforces IP restrictions",
            "the profile wants sessions of high assurance",
        ],
        steps: &[
            "Setup > External Client App Manager > the app > Settings > OAuth Settings: add the scope Manage user data via APIs (api)",
            "its Policies: IP Relaxation = Relax IP restrictions; Setup > Session Settings: the level that the profile wants",
        ],
    },
    KnownFault {
        speaker: Speaker::Rest,
        fault: "session",
        statuses: &[401],
        words: &["session expired or invalid", "invalid_session_id"],
        what: "a session that was just given is refused at {instance}",
        causes: &[
            "the host is not the instance of the org: it must hold my.salesforce.com",
            "sessions are locked to the address that they began from, and this machine goes out by several",
        ],
        steps: &[
            "let {section}.login_url name the My Domain as Setup > My Domain shows it",
            "Setup > Session Settings: Lock sessions to the IP address from which they originated = off",
        ],
    },
    KnownFault {
        speaker: Speaker::Rest,
        fault: "limit",
        statuses: &[403, 429],
        words: &["request_limit_exceeded"],
        what: "the org has used up its API requests",
        causes: &["the requests of 24 hours are used up", "25 requests that take long are running"],
        steps: &["Setup > System Overview > API Usage: find who uses them; nothing is wrong with the login"],
    },
    KnownFault {
        speaker: Speaker::Rest,
        fault: "api-off",
        statuses: &[403],
        words: &["api_disabled_for_org", "rest api is not enabled"],
        what: "{username} may not use APIs",
        causes: &["the user lacks the permission API Enabled", "the edition of the org has no API"],
        steps: &["a permission set of {username} > System Permissions: API Enabled"],
    },
    KnownFault {
        speaker: Speaker::Rest,
        fault: "class-access",
        statuses: &[403],
        words: &["access to the apex class"],
        what: "{username} may not run the Apex class of the wrapper",
        causes: &[
            "the class is in no permission set of the user",
            "the user lacks the permission Apex REST Services",
        ],
        steps: &[
            "a permission set of {username} > Apex Class Access: ServiceRouting; > System Permissions: Apex REST Services and API Enabled",
        ],
    },
    KnownFault {
        speaker: Speaker::Rest,
        fault: "no-class",
        statuses: &[404],
        words: &["could not find a match for url"],
        what: "the org has no Apex class at {prefix}",
        causes: &[
            "the package is not installed in this org",
            "the package has another namespace: cisco_wxcc_scv or cnxscv",
            "{section}.path_prefix is mistyped",
        ],
        steps: &[
            "Setup > Installed Packages shows the namespace: {section}.path_prefix = \"/services/apexrest/NAMESPACE/voice/v1\"",
        ],
    },
    KnownFault {
        speaker: Speaker::Rest,
        fault: "certificate-name",
        statuses: &[],
        words: &["certdevname"],
        what: "the org has no certificate {certificate_in_org}",
        causes: &["{section}.certificate_in_org is not the unique name of a certificate in the org"],
        steps: &[
            "Setup > Certificate and Key Management shows the names: {section}.certificate_in_org = \"NAME\"",
        ],
    },
    KnownFault {
        speaker: Speaker::Rest,
        fault: "call-center-name",
        statuses: &[],
        words: &["callcenterdevname"],
        what: "the org has no contact center {center}",
        causes: &["the section is not called as the contact center's API name"],
        steps: &[
            "Setup > Call Centers > the contact center shows its API name: write [call_centers.NAME] with it, and send it as callCenterDevName in the flow",
        ],
    },
    KnownFault {
        speaker: Speaker::Telephony,
        fault: "forbidden",
        statuses: &[403],
        words: &[],
        what: "Salesforce knows the token of {center}, and does not let it use the telephony API",
        causes: &[
            "the contact center is not one of partner telephony, or call_centers.{center}.provider_name ({provider}) is not its provider",
            "the org lacks the licence Service Cloud Voice (Partner Telephony)",
            "the certificate is another key set of the org's: that of the REST API in place of the telephony API's",
        ],
        steps: &[
            "Setup > Company Information > Permission Set Licenses: Service Cloud Voice (Partner Telephony)",
            "Setup > Partner Telephony > Contact Centers > {center}: provider, and Telephony Integration Certificate with the file of certificates.{certificate}.certificate",
        ],
    },
    KnownFault {
        speaker: Speaker::Webex,
        fault: "bearer",
        statuses: &[400],
        words: &[],
        what: "Webex finds no token in the request",
        causes: &["a proxy between takes the header Authorization away", "the login that is kept is damaged"],
        steps: &[
            "let {host} be reached without a proxy that changes requests",
            "run `scv-bridge webex login`",
        ],
    },
    KnownFault {
        speaker: Speaker::Webex,
        fault: "login-over",
        statuses: &[401],
        words: &[],
        what: "Webex does not take the login any more",
        causes: &[
            "the user who agreed has changed the password, which ends what they agreed to",
            "an administrator took the agreement back, or the integration was changed",
        ],
        steps: &["run `scv-bridge webex login` as an administrator of the contact center"],
    },
    KnownFault {
        speaker: Speaker::Webex,
        fault: "role",
        statuses: &[403],
        words: &[],
        what: "Webex does not let the login read subscriptions",
        causes: &[
            "who logged in is no administrator of the contact center",
            "the integration lacks the scopes cjp:config_read and cjp:config_write",
            "webex.api_url ({host}) is that of another region",
        ],
        steps: &[
            "Control Hub > Users > the user > Contact Center: role Administrator; then `scv-bridge webex login`",
            "developer.webex.com > My Webex Apps > the integration: scopes cjp:config_read and cjp:config_write",
            "Control Hub > Contact Center > Settings shows the region: webex.api_url = \"https://api.wxcc-REGION.cisco.com\"",
        ],
    },
    KnownFault {
        speaker: Speaker::Webex,
        fault: "region",
        statuses: &[404, 405],
        words: &[],
        what: "{host} has no Subscriptions API",
        causes: &["webex.api_url is not that of the region"],
        steps: &[
            "Control Hub > Contact Center > Settings shows the region: webex.api_url = \"https://api.wxcc-REGION.cisco.com\"",
        ],
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn fault(speaker: Speaker, status: u16, words: &str) -> Option<&'static str> {
        recognize(speaker, status, words).map(|known| known.fault)
    }

    #[test]
    fn the_words_of_a_login_have_one_cause_each() {
        for (words, expected) in [
            ("invalid_grant: user hasn't approved this consumer", "not-approved"),
            ("invalid_app_access: user is not admin approved to access this app", "not-admin-approved"),
            ("invalid_client_id: client identifier invalid", "consumer-key"),
            ("invalid_grant: audience is invalid", "audience"),
            ("invalid_grant: Audience validation failed", "audience"),
            ("invalid_grant: invalid assertion", "certificate"),
            ("invalid_grant: expired authorization code", "expired"),
            ("unsupported_grant_type: grant type not supported", "flow-off"),
            ("invalid_client: invalid client credentials", "client-secret"),
            ("invalid_grant: no client credentials user enabled", "run-as"),
            ("invalid_grant: ip restricted", "ip"),
            ("invalid_grant: inactive user", "user"),
            ("invalid_grant: user is locked", "user"),
            ("invalid_grant: authentication failure", "user"),
            ("invalid_client: External client app is not installed in this org", "app-elsewhere"),
            ("OAUTH_EC_APP_NOT_FOUND: no such app", "app-elsewhere"),
            ("OAUTH_APP_BLOCKED: this app is blocked by admin", "app-blocked"),
        ] {
            assert_eq!(fault(Speaker::Login, 400, words), Some(expected), "{words}");
        }
        assert_eq!(fault(Speaker::Login, 400, "invalid_grant: something new"), None);
    }

    #[test]
    fn the_words_of_the_rest_api_have_one_cause_each() {
        for (status, words, expected) in [
            (401, "INVALID_SESSION_ID: Session expired or invalid", "session"),
            (401, "INVALID_SESSION_ID: This session is not valid for use with the REST API", "scope"),
            (403, "API_DISABLED_FOR_ORG: The REST API is not enabled for this Organization", "api-off"),
            (404, "NOT_FOUND: Could not find a match for URL", "no-class"),
            (
                403,
                "FORBIDDEN: You do not have access to the Apex class named: ServiceRouting",
                "class-access",
            ),
            (403, "REQUEST_LIMIT_EXCEEDED: TotalRequests Limit exceeded.", "limit"),
            (400, "certDevName: no certificate with this name", "certificate-name"),
            (400, "callCenterDevName: no contact center with this name", "call-center-name"),
        ] {
            assert_eq!(fault(Speaker::Rest, status, words), Some(expected), "{words}");
        }
        assert_eq!(fault(Speaker::Rest, 400, "INVALID_SESSION_ID"), None, "another status is another thing");
    }

    #[test]
    fn the_telephony_api_and_webex_are_judged_by_their_status() {
        assert_eq!(fault(Speaker::Telephony, 403, "anything"), Some("forbidden"));
        assert_eq!(fault(Speaker::Telephony, 404, "anything"), None);
        for (status, expected) in
            [(400, "bearer"), (401, "login-over"), (403, "role"), (404, "region"), (405, "region")]
        {
            assert_eq!(fault(Speaker::Webex, status, "whatever it says"), Some(expected));
        }
    }

    #[test]
    fn each_has_a_cause_and_a_remedy_and_fills_all_its_names() {
        let names = [
            "username",
            "section",
            "login",
            "audience",
            "audience_key",
            "certificate",
            "instance",
            "prefix",
            "certificate_in_org",
            "center",
            "provider",
            "host",
        ]
        .map(|name| (name, "x"));
        let mut faults = BTreeSet::new();
        for known in KNOWN {
            assert!(faults.insert((known.speaker as u8, known.fault)), "{} twice", known.fault);
            let finding = known.finding(&names);
            assert!(!finding.causes.is_empty() && !finding.steps.is_empty(), "{}", known.fault);
            let texts = finding.causes.iter().chain(&finding.steps).chain([&finding.what]);
            for text in texts {
                assert!(!text.full().contains(['{', '}']), "{}", text.full());
            }
            assert!(known.words.iter().all(|word| word.to_lowercase() == **word), "{}", known.fault);
        }
    }
}
