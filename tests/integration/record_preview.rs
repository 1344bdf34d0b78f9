//! The print preview: the flow sheet under its own address, with a policy that lets nothing run.

use crate::display_daemon::Daemon;

#[test]
fn the_flow_sheet_is_shown_under_its_own_policy() {
    let daemon = Daemon::start();
    let answer = daemon.get("/api/v1/report?session=1&format=html");
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("Session 1"));
    let kind = answer.header("content-type").unwrap();
    assert!(kind.starts_with("text/html"), "{kind}");
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("style-src 'sha256-"));
    assert!(!policy.contains("script-src") && !policy.contains("unsafe"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[test]
fn what_cannot_be_shown_is_said() {
    let daemon = Daemon::start();
    for (address, status) in [
        ("/api/v1/report?session=2&format=html", 503),
        ("/api/v1/report?session=7&format=html", 404),
        ("/api/v1/report?session=1&format=fhir", 400),
        ("/api/v1/report?session=one&format=html", 400),
        ("/api/v1/report?session=1", 400),
    ] {
        let answer = daemon.get(address);
        assert_eq!(answer.status, status, "{address}");
        assert!(answer.json()["error"].is_string());
        // Answers that are no document keep the page's policy.
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("script-src 'self'"), "{address}");
    }
}
