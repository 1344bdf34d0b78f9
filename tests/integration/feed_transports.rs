//! Every transport with a real other end: it opens, carries bytes both ways, notices the end, comes back.

use crate::feed_stand::{QUICK, Stand, changed, monitored};
use infusewatch::board::FeedCounters;
use infusewatch::configuration::{Content, Pace, Transport, timing_file};
use infusewatch::engine::FeedState;
use infusewatch::protocol::{LineSettings, Parity, StopBits};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::num::NonZeroU32;
use std::path::Path;

const LINE: LineSettings = LineSettings {
    baud: 9_600,
    parity: Parity::Even,
    stop_bits: StopBits::One,
    rts_cts: false,
};

/// A port that was free a moment ago.
fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

fn listening(address: SocketAddr) -> Transport {
    Transport::Listen {
        address,
        allow: Vec::new(),
    }
}

fn sender(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
        .set_read_timeout(Some(crate::feed_stand::PATIENCE))
        .unwrap();
    stream
}

fn answer(stream: &TcpStream) -> String {
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    line
}

/// A pseudo-terminal whose device end is linked at `link`; its master is the device.
fn plug_in(link: &Path) -> (File, std::os::fd::OwnedFd) {
    let pair = nix::pty::openpty(None, None).unwrap();
    let name = nix::unistd::ttyname(&pair.slave).unwrap();
    let _ = std::fs::remove_file(link);
    std::os::unix::fs::symlink(name, link).unwrap();
    (File::from(pair.master), pair.slave)
}

#[test]
fn a_serial_device_is_read_lost_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let device = folder.path().join("ttyUSB0");
    let mut stand = Stand::run(changed(
        monitored(Transport::Serial {
            device: device.clone(),
            line: LINE,
        }),
        |feed| {
            feed.options.insert("greet".to_owned(), "hello".to_owned());
        },
    ));
    assert_eq!(stand.state(), FeedState::Lost, "not plugged in yet");
    stand.was_tried();
    for value in [97, 96] {
        let (mut monitor, own_end) = plug_in(&device);
        assert_eq!(stand.state(), FeedState::Ok);
        // Ours was only kept so that the link could not hang up before the feed had opened it.
        drop(own_end);
        let mut greeting = [0; 6];
        monitor.read_exact(&mut greeting).unwrap();
        assert_eq!(
            &greeting, b"hello\n",
            "the session of every opening speaks first"
        );
        monitor.write_all(b"spo").unwrap();
        monitor
            .write_all(format!("2 {value}\n").as_bytes())
            .unwrap();
        assert_eq!(stand.reading(), format!("spo2 {value}"));
        std::fs::remove_file(&device).unwrap();
        drop(monitor);
        assert_eq!(stand.state(), FeedState::Lost);
    }
    stand.stop();
}

#[test]
fn several_senders_at_once_each_with_a_session_of_its_own() {
    let address = free_port();
    let mut stand = Stand::run(monitored(listening(address)));
    assert_eq!(stand.state(), FeedState::Ok);
    let (mut one, mut two) = (sender(address), sender(address));
    one.write_all(b"spo2 9").unwrap();
    stand.counted(|counters: &FeedCounters| &counters.bytes, 6);
    two.write_all(b"hr 61\nsys 120\nsay second\n").unwrap();
    assert_eq!(stand.reading(), "hr 61");
    assert_eq!(stand.reading(), "nibp-sys 120");
    one.write_all(b"7\nsay first\n").unwrap();
    assert_eq!(
        stand.reading(),
        "spo2 97",
        "a split line is not cut by another sender"
    );
    assert_eq!(answer(&two), "second\n");
    assert_eq!(answer(&one), "first\n");
    drop(one);
    two.write_all(b"hr 62\n").unwrap();
    assert_eq!(stand.reading(), "hr 62", "one sender goes, the other stays");
    assert_eq!(stand.count(|counters| &counters.faults), 0);
    stand.stop();
    assert!(
        !stand.engine.try_iter().any(|delivery| matches!(
            delivery,
            infusewatch::inbox::Delivery::Input {
                input: infusewatch::engine::Input::Feed { .. },
                ..
            }
        )),
        "a sender that closes is not a lost feed"
    );
}

#[test]
fn a_sender_not_in_allow_is_turned_away_and_counted() {
    let address = free_port();
    let stand = Stand::run(monitored(Transport::Listen {
        address,
        allow: vec!["127.0.0.9".parse().unwrap()],
    }));
    assert_eq!(stand.state(), FeedState::Ok);
    let mut stranger = sender(address);
    stand.counted(|counters| &counters.refused, 1);
    let _ = stranger.write_all(b"spo2 50\n");
    assert!(
        matches!(stranger.read(&mut [0; 8]), Ok(0) | Err(_)),
        "closed without a word"
    );
    let friend = stand.runtime().block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.9:0".parse().unwrap()).unwrap();
        socket.connect(address).await.unwrap().into_std().unwrap()
    });
    friend.set_nonblocking(false).unwrap();
    (&friend).write_all(b"spo2 97\n").unwrap();
    assert_eq!(stand.reading(), "spo2 97");
    assert_eq!(stand.count(|counters| &counters.refused), 1);
}

#[test]
fn the_connection_that_was_silent_longest_makes_room_for_a_new_one() {
    let address = free_port();
    let stand = Stand::run(monitored(listening(address)));
    assert_eq!(stand.state(), FeedState::Ok);
    let mut senders = Vec::new();
    for number in 0..64_u64 {
        senders.push(sender(address));
        stand.counted(|counters| &counters.opened, number + 1);
    }
    let mut first = senders.remove(0);
    first.write_all(b"hr 60\n").unwrap();
    assert_eq!(stand.reading(), "hr 60");
    let mut newest = sender(address);
    newest.write_all(b"hr 99\n").unwrap();
    assert_eq!(stand.reading(), "hr 99");
    assert_eq!(
        senders[0].read(&mut [0; 1]).unwrap(),
        0,
        "half-open, as far as we know"
    );
    first.write_all(b"hr 61\n").unwrap();
    assert_eq!(stand.reading(), "hr 61");
}

#[test]
fn a_port_in_use_is_tried_again_until_it_is_free() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap();
    let mut stand = Stand::run(monitored(listening(address)));
    assert_eq!(stand.state(), FeedState::Lost);
    stand.was_tried();
    drop(holder);
    loop {
        if let Ok(delivery) = stand.engine.recv_timeout(crate::feed_stand::PATIENCE)
            && let infusewatch::inbox::Delivery::Input { input, .. } = delivery
        {
            assert_eq!(
                input,
                infusewatch::engine::Input::Feed {
                    feed: infusewatch::engine::FeedId(0),
                    state: FeedState::Ok
                },
                "lost was said once only"
            );
            break;
        }
    }
    sender(address).write_all(b"hr 60\n").unwrap();
}

#[test]
fn a_serial_server_that_goes_away_is_connected_to_again() {
    let address = free_port();
    let mut stand = Stand::run(monitored(Transport::Connect {
        address: address.to_string(),
    }));
    assert_eq!(stand.state(), FeedState::Lost, "nobody listens yet");
    let server = TcpListener::bind(address).unwrap();
    for value in [60, 61] {
        assert_eq!(stand.state(), FeedState::Ok);
        let (mut device, _) = server.accept().unwrap();
        device
            .write_all(format!("hr {value}\n").as_bytes())
            .unwrap();
        assert_eq!(stand.reading(), format!("hr {value}"));
        drop(device);
        assert_eq!(stand.state(), FeedState::Lost);
    }
    stand.stop();
}

#[test]
fn datagrams_stay_whole_and_the_last_sender_gets_the_reply() {
    let address = UdpSocket::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let stand = Stand::run(monitored(Transport::Udp {
        address,
        peer: None,
        allow: vec!["127.0.0.1".parse().unwrap()],
    }));
    assert_eq!(stand.state(), FeedState::Ok);
    let monitor = UdpSocket::bind("127.0.0.1:0").unwrap();
    monitor
        .set_read_timeout(Some(crate::feed_stand::PATIENCE))
        .unwrap();
    monitor.send_to(b"spo2 97", address).unwrap();
    monitor.send_to(b"hr 60", address).unwrap();
    assert_eq!(stand.reading(), "spo2 97");
    assert_eq!(stand.reading(), "hr 60");
    let stranger = UdpSocket::bind("127.0.0.2:0").unwrap();
    stranger.send_to(b"spo2 50", address).unwrap();
    stand.counted(|counters| &counters.refused, 1);
    monitor.send_to(b"say whole", address).unwrap();
    let mut reply = [0; 16];
    let count = monitor.recv(&mut reply).unwrap();
    assert_eq!(&reply[..count], b"whole\n");
    assert_eq!(stand.count(|counters| &counters.observations), 2);
}

#[test]
fn a_configured_peer_is_asked_first_and_nobody_else_is_heard() {
    let address = UdpSocket::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let monitor = UdpSocket::bind("127.0.0.2:0").unwrap();
    monitor
        .set_read_timeout(Some(crate::feed_stand::PATIENCE))
        .unwrap();
    let mut stand = Stand::run(monitored(Transport::Udp {
        address,
        peer: Some(monitor.local_addr().unwrap()),
        allow: Vec::new(),
    }));
    assert_eq!(stand.state(), FeedState::Ok);
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    stranger.send_to(b"spo2 50", address).unwrap();
    stand.counted(|counters| &counters.refused, 1);
    // Another port of the same machine may speak; what we say goes to the port that is configured.
    let other_port = UdpSocket::bind("127.0.0.2:0").unwrap();
    other_port.send_to(b"say whole", address).unwrap();
    let mut reply = [0; 16];
    let (count, from) = monitor.recv_from(&mut reply).unwrap();
    assert_eq!(&reply[..count], b"whole\n");
    assert_eq!(from, address);
    stand.stop();
}

#[test]
fn a_capture_plays_as_it_was_recorded_and_never_begins_again() {
    let folder = tempfile::tempdir().unwrap();
    let capture = folder.path().join("ward.raw");
    let address = free_port();
    let mut feed = monitored(listening(address));
    feed.capture = Some(capture.clone());
    let mut stand = Stand::run(feed);
    assert_eq!(stand.state(), FeedState::Ok);
    let (mut one, mut two) = (sender(address), sender(address));
    one.write_all(b"spo2 9").unwrap();
    stand.counted(|counters| &counters.bytes, 6);
    two.write_all(b"hr 61\n").unwrap();
    assert_eq!(stand.reading(), "hr 61");
    one.write_all(b"7\n").unwrap();
    assert_eq!(stand.reading(), "spo2 97");
    drop((one, two));
    stand.stop();
    drop(stand);
    assert_eq!(std::fs::read(&capture).unwrap(), b"spo2 9hr 61\n7\n");
    assert!(timing_file(&capture).exists());

    let stand = Stand::run(monitored(Transport::File {
        path: capture,
        pace: Pace::Recorded,
    }));
    assert_eq!(stand.state(), FeedState::Ok);
    assert_eq!(stand.reading(), "hr 61");
    assert_eq!(
        stand.reading(),
        "spo2 97",
        "connection by connection, as it was"
    );
    assert_eq!(stand.state(), FeedState::Lost);
    assert_eq!(stand.count(|counters| &counters.faults), 0);
    let again = stand.engine.recv_timeout(QUICK.retry * 20);
    assert!(again.is_err(), "an old patient does not begin again");
}

#[test]
fn a_file_plays_at_once_or_at_a_steady_rate() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sample.raw");
    std::fs::write(&path, "hr 60\nhr 61\nbad\nhr 62\nhr 6").unwrap();
    for pace in [
        Pace::AtOnce,
        Pace::BytesPerSecond(NonZeroU32::new(2_000).unwrap()),
    ] {
        let stand = Stand::run(monitored(Transport::File {
            path: path.clone(),
            pace,
        }));
        for value in ["hr 60", "hr 61", "hr 62"] {
            assert_eq!(stand.reading(), value);
        }
        assert_eq!(stand.state(), FeedState::Lost);
        assert_eq!(
            stand.count(|counters| &counters.faults),
            2,
            "one bad line, and one cut at the end"
        );
    }
}

#[test]
fn a_damaged_timing_file_or_none_loses_the_feed_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sample.raw");
    std::fs::write(&path, "hr 60\n").unwrap();
    for timing in [
        "",
        "something else\n",
        "infusewatch-pace 1 stream",
        "infusewatch-pace 1 stream\n0 0 7000000000000\n",
        "infusewatch-pace 1 stream\n0 0 60\n",
        "infusewatch-pace 1 stream\n-1 0 1\n",
        "infusewatch-pace 1 stream\n0 99999999999 1\n",
        "infusewatch-pace 1 stream\n0 0 1 1\n",
    ] {
        std::fs::write(timing_file(&path), timing).unwrap();
        let mut stand = Stand::run(monitored(Transport::File {
            path: path.clone(),
            pace: Pace::Recorded,
        }));
        while stand.state() != FeedState::Lost {}
        stand.stop();
        assert_eq!(
            stand.count(|counters| &counters.observations),
            0,
            "{timing:?}"
        );
    }
    let endless = "1".repeat(1_000_000);
    std::fs::write(timing_file(&path), endless).unwrap();
    let stand = Stand::run(monitored(Transport::File {
        path,
        pace: Pace::Recorded,
    }));
    assert_eq!(stand.state(), FeedState::Lost);
}

#[test]
fn an_unknown_device_is_recorded_and_the_engine_hears_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let capture = folder.path().join("unknown.raw");
    let address = free_port();
    let mut feed = monitored(listening(address));
    feed.content = Content::Recorded;
    feed.capture = Some(capture.clone());
    let mut stand = Stand::run(feed);
    stand.was_tried();
    let mut device = sender(address);
    device.write_all(b"\x01\x02spo2 50\n").unwrap();
    stand.counted(|counters| &counters.bytes, 10);
    stand.stop();
    assert_eq!(std::fs::read(&capture).unwrap(), b"\x01\x02spo2 50\n");
    assert!(stand.engine.try_recv().is_err());
}
