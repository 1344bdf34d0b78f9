//! Who lives and who watches whom: what the daemon tells the service manager.

pub mod systemd;
