//! A stand to test feeds on: a toy protocol of text lines, and one feed running into a queue that the
//! test reads.

use crossbeam_channel::{Receiver, Sender};
use infusewatch::board::{FeedCounters, Status};
use infusewatch::clock::Clock;
use infusewatch::configuration::{Content, Feed, Monitored, Ours, Transport};
use infusewatch::engine::{FeedId, FeedState, Input};
use infusewatch::feed::{self, FeedPlan, Opener, Overload, Ports, Timings, WaveSink};
use infusewatch::inbox::{CommitReply, Delivery, Inbox};
use infusewatch::observation::Wave;
use infusewatch::observation::{Identity, Observation, PumpEvent, PumpEventKind, WaveChunk};
use infusewatch::protocol::{
    Device, DeviceOptions, Event, Events, Fault, Grade, LineSettings, Medium, OptionProblem,
    OptionSpec, Parity, Protocol, Session, SessionOptions, SpeaksFirst, StopBits, Token,
};
use infusewatch::vocabulary::{Decimal, Moment, Now, Parameter, Reading};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::{oneshot, watch};

/// Longer than anything here takes; a test that waits this long has failed.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The toy protocol: one line, one thing said.
pub static LINES: Protocol = Protocol {
    name: "lines",
    title: "text lines, for tests",
    parameters: &[Parameter::Spo2, Parameter::Hr, Parameter::NibpSys],
    waves: true,
    line: Some(LineSettings {
        baud: 9_600,
        parity: Parity::None,
        stop_bits: StopBits::One,
        rts_cts: false,
    }),
    speaks_first: SpeaksFirst::Device,
    cadence: Duration::from_secs(1),
    grade: Grade::C,
    display_grade: false,
    tested: "with itself",
    options: &[OptionSpec {
        name: "greet",
        about: "a text to send on opening",
        check: |_, _| Ok(()),
    }],
    open: open_lines,
    device: no_device,
};

fn open_lines(options: &SessionOptions) -> Result<Box<dyn Session>, OptionProblem> {
    Ok(Box::new(Lines {
        greeting: options.options.get("greet").cloned(),
        medium: options.medium,
        rest: Vec::new(),
        token: 0,
        deadline: None,
    }))
}

fn no_device(_: &DeviceOptions) -> Box<dyn Device> {
    struct Silent;
    impl Device for Silent {
        fn cadence(&self) -> Duration {
            Duration::from_secs(1)
        }
        fn receive(&mut self, _: Now, _: &[u8], _: &mut Vec<Vec<u8>>) {}
        fn present(&mut self, _: Now, _: &infusewatch::protocol::Screen, _: &mut Vec<Vec<u8>>) {}
    }
    Box::new(Silent)
}

struct Lines {
    greeting: Option<String>,
    medium: Medium,
    rest: Vec<u8>,
    token: u64,
    deadline: Option<Moment>,
}

impl Lines {
    fn line(&mut self, now: Now, line: &str, events: &mut Events) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let number = || Decimal::whole(rest.parse().unwrap_or(0));
        let reading =
            |parameter| Event::Observation(Observation::new(parameter, Reading::Valid(number())));
        if word != "bad" {
            events.push(Event::Frame);
        }
        match word {
            "spo2" => events.push(reading(Parameter::Spo2)),
            "hr" => events.push(reading(Parameter::Hr)),
            "sys" => events.push(reading(Parameter::NibpSys)),
            "bed" => events.push(Event::Identity(Identity {
                bed: Some(rest.into()),
                ..Identity::default()
            })),
            "pump" => events.push(Event::PumpEvent(PumpEvent {
                event: PumpEventKind::DeliveryStart,
                transitioning: false,
                drug: None,
                rate_ml_h: None,
                volume_ml: None,
                reason: None,
                at: None,
                message_at: None,
            })),
            "wave" => events.push(Event::Wave(WaveChunk {
                label: "pleth".into(),
                rate_hz: 100,
                resolution: Decimal::whole(1),
                unit: "%",
                samples: vec![Some(1), None, Some(3)],
            })),
            "save" => {
                self.token += 1;
                events.push(Event::AwaitCommit(Token(self.token)));
            }
            "say" => events.push(Event::Send(format!("{rest}\n").into_bytes())),
            "flood" => events.push(Event::Send(vec![b'x'; rest.parse().unwrap_or(0)])),
            "soon" => self.deadline = Some(now.moment.after(Duration::from_millis(20))),
            _ => events.push(Event::Fault(Fault::BadMessage)),
        }
    }
}

impl Session for Lines {
    fn opened(&mut self, _: Now, events: &mut Events) {
        if let Some(greeting) = &self.greeting {
            events.push(Event::Send(format!("{greeting}\n").into_bytes()));
        }
    }

    fn receive(&mut self, now: Now, bytes: &[u8], events: &mut Events) {
        self.rest.extend_from_slice(bytes);
        if self.medium == Medium::Datagram {
            self.rest.push(b'\n');
        }
        while let Some(end) = self.rest.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            self.line(now, String::from_utf8_lossy(&line).trim(), events);
        }
    }

    fn deadline(&self) -> Option<Moment> {
        self.deadline
    }

    fn expire(&mut self, _: Now, events: &mut Events) {
        self.deadline = None;
        events.push(Event::Observation(Observation::new(
            Parameter::Hr,
            Reading::Valid(Decimal::whole(77)),
        )));
    }

    fn committed(&mut self, _: Now, token: Token, durable: bool, events: &mut Events) {
        let word = if durable { "saved" } else { "lost" };
        events.push(Event::Send(format!("{word} {}\n", token.0).into_bytes()));
    }

    fn closed(&mut self, _: Now, events: &mut Events) {
        if !self.rest.is_empty() {
            events.push(Event::Fault(Fault::Truncated));
        }
    }
}

/// A feed called "monitor" that speaks the toy protocol.
pub fn monitored(transport: Transport) -> Feed {
    Feed {
        name: "monitor".into(),
        content: Content::Monitored(Box::new(Monitored {
            id: FeedId(0),
            protocol: &LINES,
            options: Default::default(),
            silence: Duration::from_secs(10),
            ours: Ours::default(),
            timezone: None,
        })),
        transport,
        capture: None,
    }
}

/// The same with something changed about what it monitors.
pub fn changed(mut feed: Feed, change: impl FnOnce(&mut Monitored)) -> Feed {
    if let Content::Monitored(monitored) = &mut feed.content {
        change(monitored);
    }
    feed
}

/// Short waits where a test sits through them, long ones where it must not run into them.
pub const QUICK: Timings = Timings {
    retry: Duration::from_millis(20),
    open: Duration::from_secs(5),
    write: Duration::from_millis(200),
    commit: PATIENCE,
};

/// A transport that no test opens.
pub fn nowhere() -> Transport {
    Transport::Connect {
        address: "nowhere:1".to_owned(),
    }
}

struct WaveEnd {
    inbox: Inbox,
    /// How many deliveries waited for the engine when the wave came.
    waves: Sender<(Wave, usize)>,
}

impl WaveSink for WaveEnd {
    fn offer(&self, wave: Wave) -> bool {
        self.waves.try_send((wave, self.inbox.waiting())).is_ok()
    }
}

/// One running feed.
pub struct Stand {
    pub engine: Receiver<Delivery>,
    pub waves: Receiver<(Wave, usize)>,
    pub status: Arc<Status>,
    tried: Option<oneshot::Receiver<()>>,
    stop: watch::Sender<bool>,
    task: Option<tokio::task::JoinHandle<()>>,
    runtime: Runtime,
}

impl Stand {
    /// Runs the feed over its own transport.
    pub fn run(feed: Feed) -> Self {
        Self::start(feed, QUICK, 4_096, None)
    }

    /// Runs the feed over another opener, into a queue of this capacity.
    pub fn run_with(
        feed: Feed,
        timings: Timings,
        capacity: usize,
        opener: Box<dyn Opener>,
    ) -> Self {
        Self::start(feed, timings, capacity, Some(opener))
    }

    fn start(
        feed: Feed,
        timings: Timings,
        capacity: usize,
        opener: Option<Box<dyn Opener>>,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let (inbox, engine) = Inbox::new(capacity);
        let (wave_end, waves) = crossbeam_channel::bounded(64);
        let status = Arc::new(Status::new([Arc::clone(&feed.name)]));
        let ports = Ports {
            inbox: inbox.clone(),
            waves: Arc::new(WaveEnd {
                inbox,
                waves: wave_end,
            }),
            status: Arc::clone(&status),
            overload: Arc::new(Overload::default()),
            clock: Clock::real(),
        };
        let plan = FeedPlan {
            feed,
            place: 0,
            timings,
        };
        let (tried_sender, tried) = oneshot::channel();
        let (stop, stopping) = watch::channel(false);
        let task = runtime.spawn(async move {
            match opener {
                Some(opener) => feed::run_with(plan, ports, opener, tried_sender, stopping).await,
                None => feed::run(plan, ports, tried_sender, stopping).await,
            }
        });
        Self {
            engine,
            waves,
            status,
            tried: Some(tried),
            stop,
            task: Some(task),
            runtime,
        }
    }

    /// The feed's runtime, to make sockets in.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Waits until the first attempt to open was made.
    pub fn was_tried(&mut self) {
        self.tried.take().unwrap().blocking_recv().unwrap();
    }

    /// The next delivery.
    pub fn delivery(&self) -> Delivery {
        self.engine
            .recv_timeout(PATIENCE)
            .expect("nothing was delivered")
    }

    /// The next input.
    pub fn input(&self) -> Input {
        match self.delivery() {
            Delivery::Input { input, .. } => input,
            Delivery::Barrier(_) => panic!("a barrier instead of an input"),
            Delivery::Command { .. } => panic!("a command from a feed"),
        }
    }

    /// The next request for a commit.
    pub fn barrier(&self) -> CommitReply {
        loop {
            if let Delivery::Barrier(reply) = self.delivery() {
                return reply;
            }
        }
    }

    /// The next state of the transport.
    pub fn state(&self) -> FeedState {
        loop {
            if let Input::Feed { state, .. } = self.input() {
                return state;
            }
        }
    }

    /// The next reading, as the toy protocol writes it.
    pub fn reading(&self) -> String {
        loop {
            if let Input::Reading { observation, .. } = self.input() {
                let value = observation.reading.value().map(|value| value.to_string());
                return format!("{} {}", observation.parameter, value.unwrap_or_default());
            }
        }
    }

    /// Waits until a counter has reached `least`.
    pub fn counted(&self, counter: fn(&FeedCounters) -> &AtomicU64, least: u64) {
        let counter = counter(&self.status.feeds[0].1);
        let begun = Clock::real();
        let first = begun.now().moment;
        while counter.load(Ordering::Relaxed) < least {
            assert!(begun.now().moment.since(first) < PATIENCE, "never counted");
            std::thread::yield_now();
        }
    }

    /// What a counter shows.
    pub fn count(&self, counter: fn(&FeedCounters) -> &AtomicU64) -> u64 {
        counter(&self.status.feeds[0].1).load(Ordering::Relaxed)
    }

    /// Asks the feed to stop and waits until it has.
    pub fn stop(&mut self) {
        self.stop.send_replace(true);
        if let Some(task) = self.task.take() {
            self.runtime
                .block_on(async { tokio::time::timeout(PATIENCE, task).await })
                .expect("the feed does not stop")
                .unwrap();
        }
    }
}
