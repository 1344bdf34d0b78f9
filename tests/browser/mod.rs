//! The page in a real browser; pictures of it land in the build folder's `tmp/pictures`.

mod devtools;
mod kiosk;
mod languages;
mod page;
mod scene;
mod screenshots;
mod view_alarms;
mod view_figures;
mod view_past;
mod view_screens;
mod view_silence;
mod workflow;
