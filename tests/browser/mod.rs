//! The page in a real browser; pictures of it land in the build folder's `tmp/pictures`.

mod devtools;
mod kiosk;
mod languages;
mod page;
mod workflow;
