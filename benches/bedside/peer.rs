//! What the machine itself needs for the same thing, and the two other programs that this bench can be.

use crate::Times;
use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;

/// `--player FILE`: takes sound and writes into FILE when it got the first sample that is not silence.
pub fn player(file: &str) {
    let mut sound = std::io::stdin().lock();
    let mut piece = [0; 4_096];
    let mut heard = false;
    while let Ok(count @ 1..) = sound.read(&mut piece) {
        if !heard && piece[..count].iter().any(|&byte| byte != 0) {
            heard = true;
            std::fs::write(file, boottime().as_nanos().to_string()).unwrap();
        }
    }
}

/// The clock that every process of this machine shares.
pub fn boottime() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// `--idle`: a tokio program of two workers that does nothing but wake five times a second.
pub fn idle() {
    let runtime = runtime();
    runtime.block_on(async {
        let mut round = tokio::time::interval(Duration::from_millis(200));
        loop {
            round.tick().await;
        }
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

/// Socket → tokio → crossbeam channel → sleeping thread → atomic, with nothing decoded and nothing decided: what
/// the path costs before any of ours is in it.
pub fn bare_path(count: usize, frame: &[u8]) -> Times {
    let runtime = runtime();
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .unwrap();
    let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    stream.set_nodelay(true).unwrap();
    let (sender, receiver) = crossbeam_channel::bounded(64);
    runtime.spawn(async move {
        let (mut link, _) = listener.accept().await.unwrap();
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = link.read(&mut buffer).await {
            sender.try_send(count).unwrap();
        }
    });
    let seen = Arc::new(AtomicU64::new(0));
    let says = Arc::clone(&seen);
    let engine = std::thread::spawn(move || {
        while receiver.recv_timeout(Duration::from_secs(60)).is_ok() {
            says.fetch_add(1, Ordering::Release);
        }
    });
    let times = (0..count)
        .map(|place| {
            std::thread::sleep(Duration::from_micros(1_000 + place as u64 * 37 % 3_000));
            let before = seen.load(Ordering::Acquire);
            let begun = Instant::now();
            stream.write_all(frame).unwrap();
            while seen.load(Ordering::Acquire) == before {
                std::hint::spin_loop();
            }
            begun.elapsed()
        })
        .collect();
    drop(stream);
    engine.join().unwrap();
    Times::of(times)
}

/// A page appended to a file in `folder` and made durable: what the disk itself takes.
pub fn disk(folder: &Path, count: usize) -> Times {
    let mut file = File::create(folder.join("probe")).unwrap();
    let times = (0..count)
        .map(|place| {
            std::thread::sleep(Duration::from_micros(1_000 + place as u64 * 37 % 3_000));
            let begun = Instant::now();
            file.write_all(&[0x5a; 4_096]).unwrap();
            file.sync_data().unwrap();
            begun.elapsed()
        })
        .collect();
    Times::of(times)
}
