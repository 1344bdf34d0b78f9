//! The first corpus of a target: what the simulated device of a protocol says in several scenarios. Made anew each
//! time; nothing of it is kept in the tree.

use infusewatch::protocol::{SessionOptions, find};
use infusewatch::simulator::{Scenario, overheard};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The newest bytes of a stream that go into a seed: beginnings are alike.
const SEED: usize = 4_096;

/// When the environment names a folder in `INFUSEWATCH_SEEDS`, writes the seeds of `protocol` there and ends the
/// process; otherwise does nothing.
pub fn seeds(protocol: &str) {
    let Some(folder) = std::env::var_os("INFUSEWATCH_SEEDS") else {
        return;
    };
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    let protocol = find(protocol).expect("a registered protocol");
    for scenario in [
        "stable",
        "ketamine",
        "probe-off",
        "cuff-failure",
        "electrodes-off",
    ] {
        let story = Arc::new(Scenario::named(scenario).expect("a named scenario"));
        for seconds in [3, 150] {
            let span = Duration::from_secs(seconds);
            let heard = overheard(
                protocol,
                &SessionOptions::default(),
                Arc::clone(&story),
                span,
            )
            .expect("the defaults are allowed");
            let all: Vec<u8> = heard.into_iter().flat_map(|one| one.bytes).collect();
            let newest = all
                .get(all.len().saturating_sub(SEED)..)
                .unwrap_or_default();
            for cut in [0, 7] {
                let file = Path::new(&folder).join(format!("{scenario}-{seconds}-{cut}"));
                std::fs::write(file, [&[cut], newest].concat()).expect("the seed can be written");
            }
        }
    }
    std::process::exit(0);
}
