//! Who may speak to the display: the checks that every request passes before anything reads it.
//!
//! A web page from elsewhere can make the kiosk's browser send requests here. It cannot choose the
//! `Host` of a name it rebinds, nor hide its `Origin`, nor know the token. So: `Host` must be ours
//! (DNS rebinding), `Origin` must be absent or ours (foreign pages), and commands need the token.
//! These functions only look; they own no state.

use super::answer::Problem;
use super::token::Token;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use std::net::SocketAddr;

/// The names under which this server may be addressed.
#[derive(Clone, Debug)]
pub(super) struct Hosts {
    names: Vec<String>,
}

impl Hosts {
    /// Ours for a socket bound to `bound`: its own address, and the loopback names with its port.
    pub(super) fn of(bound: SocketAddr) -> Self {
        let port = bound.port();
        let mut names = vec![
            bound.to_string(),
            format!("localhost:{port}"),
            format!("127.0.0.1:{port}"),
            format!("[::1]:{port}"),
        ];
        if port == 80 {
            let bare: Vec<String> = names
                .iter()
                .filter_map(|name| name.strip_suffix(":80").map(str::to_owned))
                .collect();
            names.extend(bare);
        }
        Self { names }
    }

    fn contains(&self, host: &str) -> bool {
        self.names
            .iter()
            .any(|name| name.eq_ignore_ascii_case(host))
    }

    fn is_our_origin(&self, origin: &str) -> bool {
        origin
            .strip_prefix("http://")
            .is_some_and(|host| self.contains(host))
    }
}

/// The only value of a header: an absent, repeated or unreadable one is no value.
fn single<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

/// Refuses a request that was not addressed to us or that another origin's page sent.
pub(super) fn check_source(hosts: &Hosts, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let addressed = single(headers, &header::HOST).is_some_and(|host| hosts.contains(host))
        && uri
            .authority()
            .is_none_or(|authority| hosts.contains(authority.as_str()));
    if !addressed {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "the Host header does not name this server",
            "open the page under the address in the runtime directory",
        ));
    }
    let foreign = headers.contains_key(header::ORIGIN)
        && !single(headers, &header::ORIGIN).is_some_and(|origin| hosts.is_our_origin(origin));
    if foreign {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "the Origin header names another web page",
            "only this server's own page, or a program without a page, may ask",
        ));
    }
    Ok(())
}

/// Refuses a command without `Authorization: Bearer <token>`.
pub(super) fn check_token(token: &Token, headers: &HeaderMap) -> Result<(), Problem> {
    let offered = single(headers, &header::AUTHORIZATION).and_then(|value| {
        let (scheme, rest) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| rest.trim())
    });
    if offered.is_some_and(|offered| token.matches(offered)) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNAUTHORIZED,
        "this command needs the token of the running daemon",
        "send Authorization: Bearer with the content of the runtime directory's token file; it is new at each start",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn asked(host: Option<&str>, origin: Option<&str>) -> bool {
        let hosts = Hosts::of("127.0.0.1:8300".parse().unwrap());
        let mut headers = HeaderMap::new();
        if let Some(host) = host {
            headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
        }
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        check_source(&hosts, &Uri::from_static("/"), &headers).is_ok()
    }

    #[test]
    fn only_our_own_names_with_our_port_are_ours() {
        for host in [
            "127.0.0.1:8300",
            "localhost:8300",
            "LOCALHOST:8300",
            "[::1]:8300",
        ] {
            assert!(asked(Some(host), None), "{host}");
        }
        for host in [
            "127.0.0.1",
            "localhost",
            "127.0.0.1:8301",
            "evil.example:8300",
            "127.0.0.1:8300.evil.example",
            "localhost.:8300",
            "",
        ] {
            assert!(!asked(Some(host), None), "{host}");
        }
        assert!(!asked(None, None));
    }

    #[test]
    fn an_origin_is_absent_or_ours() {
        assert!(asked(Some("localhost:8300"), Some("http://localhost:8300")));
        assert!(asked(Some("localhost:8300"), Some("http://127.0.0.1:8300")));
        for origin in [
            "null",
            "",
            "https://localhost:8300",
            "http://evil.example",
            "http://localhost",
            "http://localhost:8300.evil.example",
            "file://",
        ] {
            assert!(!asked(Some("localhost:8300"), Some(origin)), "{origin}");
        }
    }

    #[test]
    fn a_repeated_host_or_origin_is_refused() {
        let hosts = Hosts::of("127.0.0.1:8300".parse().unwrap());
        let mut headers = HeaderMap::new();
        headers.append(header::HOST, HeaderValue::from_static("127.0.0.1:8300"));
        headers.append(header::HOST, HeaderValue::from_static("evil.example"));
        assert!(check_source(&hosts, &Uri::from_static("/"), &headers).is_err());
        let absolute = Uri::from_static("http://evil.example/");
        headers.remove(header::HOST);
        headers.insert(header::HOST, HeaderValue::from_static("127.0.0.1:8300"));
        assert!(check_source(&hosts, &absolute, &headers).is_err());
    }

    #[test]
    fn the_token_comes_as_a_bearer() {
        let token = Token::generate().unwrap();
        let with = |value: String| {
            let mut headers = HeaderMap::new();
            headers.insert(
                header::AUTHORIZATION,
                HeaderValue::from_str(&value).unwrap(),
            );
            check_token(&token, &headers).is_ok()
        };
        assert!(with(format!("Bearer {}", token.reveal())));
        assert!(with(format!("bearer {}", token.reveal())));
        assert!(!with(token.reveal().to_owned()));
        assert!(!with(format!("Basic {}", token.reveal())));
        assert!(!with("Bearer 00".to_owned()));
        assert!(check_token(&token, &HeaderMap::new()).is_err());
    }
}
