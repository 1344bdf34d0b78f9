//! `GET /api/v1/stream`: the board as it changes, and the attached display's beat.
//!
//! From us, text: the board, at once on connect, within 20 ms of every change, and at least twice a
//! second. From us, binary: waves, one frame per chunk, little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | version of this layout: 1 |
//! | 1 + n | length and UTF-8 text of the wave's label (`pleth`, `ecg-II`) |
//! | 1 + n | length and UTF-8 text of the feed's name |
//! | 1 + n | length and UTF-8 text of the unit, may be empty |
//! | 4 | samples per second, u32 |
//! | 8 + 1 | one count in the unit: i64 digits, then places behind the point |
//! | 8 | when the chunk was received: Unix milliseconds, i64 |
//! | 4 × … | samples in counts, i32, up to the end; the lowest i32 is "no sample" |
//!
//! From the client, text: `{"token":"…"}` makes this connection the attached display (a browser cannot
//! set headers on a WebSocket, and a token in the address would end up in logs); then `{"beat":true}`
//! once a second. A wrong token closes with code 4401; a flood, a message over 4 KiB or anything
//! else with 1008. A reader that does not take a message within 2 s is cut off, never waited for.

use super::http::{self, Shared};
use crate::board::{Board, Published};
use crate::observation::Wave;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::MissedTickBehavior;

/// How often the published board is compared with the one that was sent.
const LOOK: Duration = Duration::from_millis(20);
/// The longest time without a board.
const PULSE: Duration = Duration::from_millis(500);
/// Messages that a client may send between two pulses: the page sends one in two.
const MOST_MESSAGES: u32 = 10;
/// The largest message from a client, bytes.
const MOST_BYTES: usize = 4 * 1024;
/// How long a client may take to accept a message.
const SEND_TIME: Duration = Duration::from_secs(2);
/// Pulses between two pings, which keep a silent reader's connection alive: 10 s.
const PULSES_PER_PING: u32 = 20;
/// Streams at once; a kiosk has one.
const MOST_STREAMS: u64 = 16;
/// Close code for a token that is not this daemon's.
const WRONG_TOKEN: u16 = 4401;
/// RFC 6455 close code for a client that breaks the rules.
const POLICY: u16 = 1008;

/// The binary message of these samples (layout above). Labels longer than 255 bytes are cut.
fn encode(wave: &Wave) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64 + 4 * wave.chunk.samples.len());
    bytes.push(1);
    for text in [&*wave.chunk.label, &*wave.feed, wave.chunk.unit] {
        let text: Vec<u8> = text.bytes().take(255).collect();
        bytes.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
        bytes.extend(text);
    }
    bytes.extend(wave.chunk.rate_hz.to_le_bytes());
    bytes.extend(wave.chunk.resolution.mantissa().to_le_bytes());
    bytes.push(wave.chunk.resolution.scale());
    bytes.extend(wave.received.wall.as_millis().to_le_bytes());
    for sample in &wave.chunk.samples {
        bytes.extend(sample.unwrap_or(i32::MIN).to_le_bytes());
    }
    bytes
}

/// What a client may say.
#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Said {
    Token { token: String },
    Beat { beat: bool },
}

/// Counts an attached page for as long as it lives.
struct Attached {
    published: Arc<Published>,
}

impl Attached {
    fn new(published: &Arc<Published>) -> Self {
        published.displays().fetch_add(1, Ordering::AcqRel);
        Self {
            published: Arc::clone(published),
        }
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.published.displays().fetch_sub(1, Ordering::AcqRel);
    }
}

/// Why a stream ends.
enum End {
    /// The client left, or the daemon stops.
    Gone,
    /// We close it, with this code and reason.
    Refused(u16, &'static str),
}

/// `GET /api/v1/stream`
pub(super) async fn open(
    State(shared): State<Arc<Shared>>,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Response {
    let Ok(upgrade) = upgrade else {
        return super::answer::Problem::new(
            StatusCode::UPGRADE_REQUIRED,
            "this address is a WebSocket",
            "connect with a WebSocket client, or ask /api/v1/now",
        )
        .into_response();
    };
    if shared.counters.streams.fetch_add(1, Ordering::AcqRel) >= MOST_STREAMS {
        shared.counters.streams.fetch_sub(1, Ordering::AcqRel);
        return super::answer::Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many streams are open",
            "close other pages of this monitor",
        )
        .into_response();
    }
    let place = Place(shared);
    upgrade
        .max_message_size(MOST_BYTES)
        .max_frame_size(MOST_BYTES)
        .on_upgrade(move |socket| serve(socket, place))
}

/// One stream's place, given back however the stream ends.
struct Place(Arc<Shared>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.counters.streams.fetch_sub(1, Ordering::AcqRel);
    }
}

async fn serve(mut socket: WebSocket, place: Place) {
    let shared = &place.0;
    let end = speak(&mut socket, shared).await;
    if let End::Refused(code, reason) = end {
        shared
            .counters
            .streams_closed
            .fetch_add(1, Ordering::Relaxed);
        tracing::info!(code, reason, "display stream closed");
        let close = Message::Close(Some(CloseFrame {
            code,
            reason: reason.into(),
        }));
        let _ = tokio::time::timeout(SEND_TIME, socket.send(close)).await;
    }
}

async fn speak(socket: &mut WebSocket, shared: &Arc<Shared>) -> End {
    let mut waves = shared.sources.waves.subscribe();
    let mut stop = shared.stop.clone();
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut pulse = tokio::time::interval(PULSE);
    pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut shown: Option<Arc<Board>> = None;
    let mut engine_went = true;
    let mut attached = None;
    let mut heard = 0_u32;
    let mut pulses = 0_u32;
    loop {
        let message = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return End::Gone,
            said = socket.recv() => {
                heard += 1;
                if heard > MOST_MESSAGES {
                    return End::Refused(POLICY, "too many messages");
                }
                match said {
                    Some(Ok(Message::Text(text))) => match listen(&text, shared, &mut attached) {
                        Ok(()) => continue,
                        Err(end) => return end,
                    },
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                    Some(Ok(Message::Binary(_))) => {
                        return End::Refused(POLICY, "unexpected message");
                    }
                    // The WebSocket itself answers an oversized or broken frame before we can.
                    Some(Err(_)) => return End::Refused(POLICY, "broken or oversized message"),
                    Some(Ok(Message::Close(_))) | None => return End::Gone,
                }
            }
            _ = look.tick() => {
                let board = shared.sources.published.board();
                let goes = shared.attendance.engine_goes();
                let same = shown.as_ref().is_some_and(|shown| Arc::ptr_eq(shown, &board));
                if same && goes == engine_went {
                    continue;
                }
                engine_went = goes;
                shown = Some(Arc::clone(&board));
                board_message(&board, shared)
            }
            _ = pulse.tick() => {
                heard = 0;
                pulses += 1;
                if pulses.is_multiple_of(PULSES_PER_PING) {
                    Message::Ping(axum::body::Bytes::new())
                } else {
                    board_message(&shared.sources.published.board(), shared)
                }
            }
            frame = waves.recv() => match frame {
                Ok(wave) => Message::Binary(encode(&wave).into()),
                Err(RecvError::Lagged(skipped)) => {
                    shared.counters.waves_skipped.fetch_add(skipped, Ordering::Relaxed);
                    continue;
                }
                // Nobody sends waves any more: the daemon is stopping.
                Err(RecvError::Closed) => return End::Gone,
            },
        };
        match tokio::time::timeout(SEND_TIME, socket.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return End::Gone,
            Err(_) => return End::Refused(POLICY, "does not read"),
        }
    }
}

fn board_message(board: &Board, shared: &Shared) -> Message {
    Message::Text(http::picture(board, shared).to_string().into())
}

/// Takes one message of a client.
fn listen(text: &str, shared: &Arc<Shared>, attached: &mut Option<Attached>) -> Result<(), End> {
    match serde_json::from_str(text) {
        Ok(Said::Token { token }) if shared.token.matches(&token) => {
            attached.get_or_insert_with(|| Attached::new(&shared.sources.published));
            Ok(())
        }
        Ok(Said::Token { .. }) => Err(End::Refused(WRONG_TOKEN, "wrong token")),
        Ok(Said::Beat { beat }) => {
            if beat && attached.is_some() {
                shared.attendance.beat();
            }
            Ok(())
        }
        Err(_) => Err(End::Refused(POLICY, "unexpected message")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::WaveChunk;
    use crate::vocabulary::Now;
    use crate::vocabulary::{Decimal, Moment, WallTime};

    #[test]
    fn a_wave_frame_has_the_documented_layout() {
        let frame = Wave {
            feed: "monitor".into(),
            received: Now {
                moment: Moment::ZERO,
                wall: WallTime::from_millis(1_000),
            },
            chunk: WaveChunk {
                label: "pleth".into(),
                rate_hz: 125,
                resolution: Decimal::new(5, 2),
                unit: "%",
                samples: vec![Some(-2), None],
            },
        };
        let mut expected = vec![1, 5];
        expected.extend(b"pleth\x07monitor\x01%");
        expected.extend(125_u32.to_le_bytes());
        expected.extend(5_i64.to_le_bytes());
        expected.push(2);
        expected.extend(1_000_i64.to_le_bytes());
        expected.extend((-2_i32).to_le_bytes());
        expected.extend(i32::MIN.to_le_bytes());
        assert_eq!(encode(&frame), expected);
    }
}
