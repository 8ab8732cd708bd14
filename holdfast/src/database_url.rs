//! A database's address, which may carry a secret.

use std::fmt;

use reqwest::Url;

/// A Postgres address. Printing it hides the password.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(Url);

impl DatabaseUrl {
    /// Accepts `postgres://…` and `postgresql://…`. The error says what to change and repeats nothing secret.
    pub fn parse(text: &str) -> Result<Self, String> {
        let advice = "give postgres://user:password@host:port/database";
        let url = Url::parse(text).map_err(|why| format!("is not a URL ({why}): {advice}"))?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(format!("is a {} address: {advice}", url.scheme()));
        }
        if url.cannot_be_a_base() {
            return Err(format!("names no server: {advice}"));
        }
        // What follows the first of these is no password any more, and would be shown as the database's name.
        if [Some(url.path()), url.query(), url.fragment()]
            .into_iter()
            .flatten()
            .any(|part| part.contains('@'))
        {
            return Err(format!(
                "has an @ behind the server: write /, ?, # and @ elsewhere as %2F, %3F, %23 and %40; {advice}"
            ));
        }
        Ok(Self(url))
    }

    /// The address with its secrets, for the driver alone.
    pub fn expose(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.0.clone();
        if shown.password().is_some() {
            // Fails only for addresses that cannot carry a password, and this one does.
            shown.set_password(Some("***")).ok();
        }
        if let Some(query) = self.0.query() {
            let hidden: Vec<String> = query.split('&').map(hide_secret_pair).collect();
            shown.set_query(Some(&hidden.join("&")));
        }
        f.write_str(shown.as_str())
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `password=x` and its like in the query are secrets too.
fn hide_secret_pair(pair: &str) -> String {
    match pair.split_once('=') {
        Some((key, _)) if key.to_ascii_lowercase().contains("pass") => format!("{key}=***"),
        _ => pair.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_hidden_wherever_they_stand() {
        let url =
            DatabaseUrl::parse("postgres://me:s3cret@db:5432/shop?sslmode=require&password=s3cret").unwrap();
        assert_eq!(url.to_string(), "postgres://me:***@db:5432/shop?sslmode=require&password=***");
        assert_eq!(format!("{url:?}"), url.to_string());
        assert!(url.expose().contains("s3cret"));
    }

    #[test]
    fn an_address_without_a_password_is_shown_as_it_is() {
        let text = "postgres://me@db/shop";
        assert_eq!(DatabaseUrl::parse(text).unwrap().to_string(), text);
    }

    #[test]
    fn other_databases_are_refused_without_repeating_the_secret() {
        let split = [
            "postgres://me:/s3cret@db/shop",
            "postgres://me:?s3cret@db/shop",
            "postgres://me:#s3cret@db/shop",
        ];
        for text in ["mysql://me:s3cret@db/shop", "s3cret", ""].into_iter().chain(split) {
            let why = DatabaseUrl::parse(text).unwrap_err();
            assert!(why.contains("postgres://user:password@host") && !why.contains("s3cret"), "{why}");
        }
    }
}
