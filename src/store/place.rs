//! Where a database is, in words that hold no password.

use std::path::Path;

use url::Url;

/// The place that `store.url` names: the whole path of SQLite's file, or PostgreSQL's server, user and database.
#[must_use]
pub fn place(url: &str) -> String {
    if let Some(path) = url.strip_prefix("sqlite:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        let path = path.split('?').next().unwrap_or(path);
        let whole = std::path::absolute(Path::new(path)).unwrap_or_else(|_| path.into());
        return format!("the file {}", whole.display());
    }
    let Ok(mut url) = Url::parse(url) else {
        return "not shown: it could hold a password".to_owned();
    };
    // What follows can hold a password too: `?password=`.
    url.set_query(None);
    url.set_fragment(None);
    match url.set_password(None) {
        Ok(()) => url.to_string(),
        Err(()) => format!("{}:...", url.scheme()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_names_file_or_server_and_no_password() {
        let here = std::env::current_dir().unwrap().display().to_string();
        for (url, expected) in [
            ("sqlite:data/bridge.db", format!("the file {here}/data/bridge.db")),
            ("sqlite:///var/lib/bridge.db?mode=rwc", "the file /var/lib/bridge.db".to_owned()),
            (
                "postgres://bridge:s3cret@db:5433/calls?sslmode=require",
                "postgres://bridge@db:5433/calls".to_owned(),
            ),
            ("postgres://bridge@db/calls?password=s3cret#s3cret", "postgres://bridge@db/calls".to_owned()),
            ("postgres://bridge:s3:cret#x@db", "not shown: it could hold a password".to_owned()),
        ] {
            assert_eq!(place(url), expected);
        }
    }
}
