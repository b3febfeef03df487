//! Keys take longer to make than most tests: one set for the whole process.

use std::sync::OnceLock;

use scv_bridge::certificate::{IssuedPair as Issued, issue};

use super::plan::NOW;

/// The certificate that the org knows, under the name that the vendor's flow sends.
pub const CERTIFICATE: &str = "WebexCCSCV";
/// A certificate of the bridge that the org does not know.
pub const OTHER_CERTIFICATE: &str = "OtherSCV";

/// Both pairs, by name.
pub fn issued(name: &str) -> &'static Issued {
    static ISSUED: OnceLock<[Issued; 2]> = OnceLock::new();
    let issue = |name| issue(name, 2048, 30, NOW.parse().unwrap()).unwrap();
    let [known, other] = ISSUED.get_or_init(|| [issue(CERTIFICATE), issue(OTHER_CERTIFICATE)]);
    if name == CERTIFICATE { known } else { other }
}
