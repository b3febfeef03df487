//! Access tokens, asked for in every encoding.

use serde_json::json;

use super::super::site::PASSWORD;
use super::{Flow, SAID_TOKEN, SECRET, WRONG_SECRET};

/// Asks for tokens, rightly and wrongly. Gives those that were given.
pub async fn ask(flow: &Flow) -> Vec<String> {
    let form = |grant: &str, secret: &str| {
        format!(
            "{grant}&client_id=webex-flow&client_secret={secret}&username=webex%40example.com&password={PASSWORD}"
        )
    };
    let (credentials, password) = ("grant_type=client_credentials", "grant_type=password");
    let json = json!({
        "grant_type": "password", "client_id": "webex-flow", "client_secret": SECRET,
        "username": "webex@example.com", "password": PASSWORD,
    });
    let assertion = format!("grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion={SAID_TOKEN}");
    let (mut given, mut refused) = (Vec::new(), 0);
    for (kind, body) in [
        ("application/x-www-form-urlencoded", form(credentials, SECRET)),
        ("application/x-www-form-urlencoded", form(password, SECRET)),
        ("application/json", json.to_string()),
        ("application/x-www-form-urlencoded", form(password, WRONG_SECRET)),
        ("application/x-www-form-urlencoded", form("grant_type=none", SECRET)),
        ("application/json", json.to_string().replace('{', "{\"password\":1,")),
        ("application/x-www-form-urlencoded", assertion),
    ] {
        let (_, answer) = flow.send("/services/oauth2/token", kind, body).await;
        match answer["access_token"].as_str() {
            Some(token) => given.push(token.trim_start_matches("scvb_").to_owned()),
            None => refused += 1,
        }
    }
    assert_eq!((given.len(), refused), (3, 4));
    for token in &given {
        assert_eq!(flow.with_bearer("/voice/v1/validate", &format!("scvb_{token}")).await.0, 200);
    }
    given
}
