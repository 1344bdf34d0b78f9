//! `POST /api/v1/commands`: from the nurse's finger to the engine, and the truth back.
//!
//! Promises: 200 only for what the engine took; a repeated `id` never does anything twice; nothing here
//! waits longer than the stated times. The list of answered ids is bounded and owned by [`Answers`].

use super::answer::Problem;
use super::guard;
use super::http::Shared;
use super::staff::{Denied, Desk, LoggedIn};
use crate::engine::Command;
use crate::inbox::{CommandAnswer, Delivery};
use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// The largest command, bytes.
const MOST_BYTES: usize = 64 * 1024;
/// How long the body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(5);
/// How long the engine may take to answer.
const ANSWER_TIME: Duration = Duration::from_secs(2);
/// How long the answer waits for the record before it says `"durable":false`.
const DURABLE_TIME: Duration = Duration::from_secs(2);
/// How often the record's watermark is looked at meanwhile.
const DURABLE_TURN: Duration = Duration::from_millis(2);
/// Ids remembered.
const MOST_IDS: usize = 256;
/// The longest id, bytes.
const LONGEST_ID: usize = 128;

/// What became of one command; empty until the engine has answered, closed when it never will.
type Outcome = watch::Receiver<Option<CommandAnswer>>;

#[derive(Debug)]
struct Remembered {
    id: String,
    command: Command,
    outcome: Outcome,
}

/// The newest commands that carried an `id`.
#[derive(Debug, Default)]
pub(super) struct Answers {
    newest: Mutex<VecDeque<Remembered>>,
}

impl Answers {
    /// The outcome of an earlier command with this id.
    fn find(&self, id: &str, command: &Command) -> Result<Option<Outcome>, Problem> {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        match newest.iter().find(|remembered| remembered.id == id) {
            None => Ok(None),
            Some(remembered) if remembered.command == *command => {
                Ok(Some(remembered.outcome.clone()))
            }
            Some(_) => Err(Problem::new(
                StatusCode::CONFLICT,
                "this id was used for another command",
                "give every new command a new id",
            )),
        }
    }

    fn remember(&self, id: String, command: Command, outcome: Outcome) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.len() >= MOST_IDS {
            newest.pop_front();
        }
        newest.push_back(Remembered {
            id,
            command,
            outcome,
        });
    }
}

/// `POST /api/v1/commands`
pub(super) async fn post(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match take(&shared, &headers, body).await {
        Ok(answer) => Json(answer).into_response(),
        Err(problem) => problem.into_response(),
    }
}

async fn take(shared: &Arc<Shared>, headers: &HeaderMap, body: Body) -> Result<Value, Problem> {
    let counters = &shared.counters;
    guard::check_token(&shared.token, headers)
        .inspect_err(|_| count(&counters.requests_refused))?;
    let mut asked = Asked::parse(&read(body).await?)?;
    match asked.name.as_str() {
        "log-in" => return log_in(shared, asked).await,
        "log-out" => return log_out(shared, asked).await,
        _command => {}
    }
    authorise(&shared.desk, &mut asked).inspect_err(|_| count(&counters.commands_refused))?;
    let (id, command) = asked.command()?;
    submit(shared, id, command).await
}

/// Gives a command to the engine and waits for its answer and for the record.
async fn submit(
    shared: &Arc<Shared>,
    id: Option<String>,
    command: Command,
) -> Result<Value, Problem> {
    let counters = &shared.counters;
    let outcome =
        hand_over(shared, id, command).inspect_err(|_| count(&counters.commands_unanswered))?;
    match answered(outcome).await {
        Some(CommandAnswer::Done { seq, left }) => {
            count(&counters.commands_done);
            let durable = durable(shared, seq).await;
            Ok(json!({ "seq": seq, "durable": durable, "left": left }))
        }
        Some(CommandAnswer::Refused {
            seq: _,
            error,
            hint,
        }) => {
            count(&counters.commands_refused);
            Err(Problem::told(StatusCode::CONFLICT, error, hint))
        }
        None => {
            count(&counters.commands_unanswered);
            Err(Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "the alarm engine did not answer in 2 s; the command may or may not be done",
                "look at the screen; repeating it with the same id is safe",
            ))
        }
    }
}

fn count(counter: &std::sync::atomic::AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// The whole body, within its bounds of size and time.
pub(super) async fn read(body: Body) -> Result<Vec<u8>, Problem> {
    match tokio::time::timeout(BODY_TIME, to_bytes(body, MOST_BYTES)).await {
        Ok(Ok(bytes)) => Ok(bytes.into()),
        Ok(Err(_)) => Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the command is cut off or longer than 64 KiB",
            "send one complete JSON object",
        )),
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "the command did not arrive within 5 s",
            "send it again",
        )),
    }
}

/// What was sent, before it is a command: what is not the engine's is taken out of it.
#[derive(Debug)]
struct Asked {
    id: Option<String>,
    /// The secret of a log-in.
    login: Option<String>,
    name: String,
    fields: Map<String, Value>,
}

fn bad(error: impl Into<Cow<'static, str>>, hint: &'static str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, error, hint)
}

impl Asked {
    /// Reads the object; says what is wrong with it.
    fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let mut fields = match serde_json::from_slice(bytes) {
            Ok(Value::Object(fields)) => fields,
            Ok(_) => {
                return Err(bad(
                    "a command is a JSON object",
                    "send {\"command\":\"…\"}",
                ));
            }
            Err(error) => {
                return Err(bad(
                    format!("the command is not JSON: {error}"),
                    "send {\"command\":\"…\"}",
                ));
            }
        };
        let id = match fields.remove("id") {
            None | Some(Value::Null) => None,
            Some(Value::String(id)) if id.len() <= LONGEST_ID => Some(id),
            Some(Value::Number(id)) => Some(id.to_string()),
            Some(_) => {
                return Err(bad(
                    format!("`id` is not a text of at most {LONGEST_ID} bytes"),
                    "use a fresh random text for every command",
                ));
            }
        };
        let login = match fields.remove("login") {
            None | Some(Value::Null) => None,
            Some(Value::String(login)) => Some(login),
            Some(_) => return Err(bad("`login` is not a text", "send what `log-in` answered")),
        };
        let name = match fields.get("command") {
            Some(Value::String(name)) => name.chars().take(40).collect::<String>(),
            _ => {
                return Err(bad(
                    "the object has no `command`",
                    "send {\"command\":\"…\"}",
                ));
            }
        };
        Ok(Self {
            id,
            login,
            name,
            fields,
        })
    }

    /// The id and the engine's command.
    fn command(self) -> Result<(Option<String>, Command), Problem> {
        let Self {
            id, name, fields, ..
        } = self;
        serde_json::from_value(Value::Object(fields))
            .map(|command| (id, command))
            .map_err(|error| {
                bad(
                    format!("command `{name}`: {error}"),
                    "see the table of commands for its fields",
                )
            })
    }

    fn text(&mut self, field: &str) -> Result<String, Problem> {
        match self.fields.remove(field) {
            Some(Value::String(text)) => Ok(text),
            Some(_) | None => Err(bad(
                format!("`{}` has no text `{field}`", self.name),
                "send the name and the PIN as texts",
            )),
        }
    }
}

/// Refuses a command that needs a log-in and has none, and fills in who sends it. A log-in that is over
/// never stops a command that needs none.
fn authorise(desk: &Desk, asked: &mut Asked) -> Result<(), Problem> {
    let who = asked
        .login
        .as_deref()
        .and_then(|login| desk.who(login, desk.now()));
    let is_required = desk.requires(&asked.name);
    let told = asked.fields.get("by").filter(|by| !by.is_null()).cloned();
    match (who, told) {
        (None, _) if is_required => Err(Problem::new(
            StatusCode::FORBIDDEN,
            format!("`{}` needs a log-in", asked.name),
            "log in with your PIN and send its `login` with the command; this clinic's configuration asks for it",
        )),
        (Some(who), Some(by)) if is_required && by.as_str() != Some(&*who) => Err(Problem::new(
            StatusCode::FORBIDDEN,
            format!("`by` names somebody else: {who} is logged in"),
            "leave `by` out, or let the other person log in",
        )),
        (Some(who), None) => {
            asked
                .fields
                .insert("by".to_owned(), Value::from(who.to_string()));
            Ok(())
        }
        (Some(_), Some(_)) | (None, _) => Ok(()),
    }
}

/// `log-in{name,pin}`: the PIN ends here. It goes on as a task of its own, so that hanging up neither
/// stops the look at the PIN nor keeps a wrong one out of the record.
async fn log_in(shared: &Arc<Shared>, mut asked: Asked) -> Result<Value, Problem> {
    let (name, pin) = (asked.text("name")?, asked.text("pin")?);
    if !shared.desk.has_staff() {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "nobody can log in: the configuration names no staff",
            "no command needs a log-in; name staff under [[access.staff]]",
        ));
    }
    let shared = Arc::clone(shared);
    match tokio::spawn(async move { look_at_pin(&shared, &name, pin).await }).await {
        Ok(answer) => answer,
        Err(_) => Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "the PIN could not be looked at",
            "try again",
        )),
    }
}

async fn look_at_pin(shared: &Arc<Shared>, name: &str, pin: String) -> Result<Value, Problem> {
    let counters = &shared.counters;
    let unavailable = |error: std::io::Error| {
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("the PIN could not be looked at: {error}"),
            "try again",
        )
    };
    match shared
        .desk
        .log_in(name, pin, shared.desk.now())
        .await
        .map_err(unavailable)?
    {
        Ok(LoggedIn { login, staff }) => {
            let recorded = Command::LogIn {
                name: staff.name.to_string(),
                accepted: true,
            };
            // Nobody is logged in whom the record does not show.
            let mut answer = submit(shared, None, recorded).await.inspect_err(|_| {
                let _ = shared.desk.log_out(&login, shared.desk.now());
            })?;
            count(&counters.logins);
            if let Value::Object(fields) = &mut answer {
                fields.insert("login".into(), login.into());
                fields.insert(
                    "staff".into(),
                    json!({ "name": staff.name, "role": staff.role }),
                );
                let expires = shared.desk.auto_log_off().as_secs();
                fields.insert("expires_s".into(), expires.into());
            }
            Ok(answer)
        }
        Err(Denied::Wrong(known)) => {
            count(&counters.logins_wrong);
            // What was typed as an unknown name may be a PIN: it is not written down.
            let name = known.map_or_else(|| "unknown name".to_owned(), |name| name.to_string());
            let recorded = Command::LogIn {
                name,
                accepted: false,
            };
            if hand_over(shared, None, recorded).is_err() {
                count(&counters.commands_unanswered);
                tracing::warn!("a wrong PIN could not be recorded: the engine's queue is full");
            }
            Err(Problem::new(
                StatusCode::FORBIDDEN,
                "name or PIN is wrong",
                "try again; each wrong PIN makes the next try wait longer",
            ))
        }
        Err(Denied::Later(wait)) => {
            count(&counters.logins_delayed);
            Err(Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                "not looked at: too soon after a wrong PIN",
                "wait and try again; acknowledging and audio pause need no log-in",
            )
            .after(wait))
        }
    }
}

/// `log-out`: done even when the log-in is over already.
async fn log_out(shared: &Arc<Shared>, asked: Asked) -> Result<Value, Problem> {
    let name = asked
        .login
        .as_deref()
        .and_then(|login| shared.desk.log_out(login, shared.desk.now()))
        .map(|name| name.to_string());
    submit(shared, None, Command::LogOut { name }).await
}

/// Gives the command to the engine, or finds the outcome of the same one sent before.
fn hand_over(
    shared: &Arc<Shared>,
    id: Option<String>,
    command: Command,
) -> Result<Outcome, Problem> {
    if let Some(id) = &id
        && let Some(outcome) = shared.answers.find(id, &command)?
    {
        return Ok(outcome);
    }
    let (reply, told) = oneshot::channel();
    let delivery = Delivery::Command {
        received: shared.sources.clock.now(),
        command: Box::new(command.clone()),
        reply: Box::new(move |answer| {
            // The asker may have gone; the command is done all the same.
            let _ = reply.send(answer);
        }),
    };
    if shared.sources.inbox.offer(delivery).is_err() {
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "not done: the alarm engine's queue is full",
            "try again; if it stays so, use the monitor's own alarms and call for help",
        ));
    }
    // The engine must never meet a lock that a reader holds, so it answers a one-shot channel and
    // this task spreads the answer.
    let (spread, outcome) = watch::channel(None);
    tokio::spawn(async move {
        if let Ok(answer) = told.await {
            spread.send_replace(Some(answer));
        }
    });
    if let Some(id) = id {
        shared.answers.remember(id, command, outcome.clone());
    }
    Ok(outcome)
}

/// The answer, or `None` when none came in time or the engine is gone.
async fn answered(mut outcome: Outcome) -> Option<CommandAnswer> {
    let told = tokio::time::timeout(ANSWER_TIME, outcome.wait_for(Option::is_some)).await;
    match told {
        Ok(Ok(answer)) => answer.clone(),
        Ok(Err(_)) | Err(_) => None,
    }
}

/// Whether the record holds everything up to `seq`, waiting for it a little.
async fn durable(shared: &Arc<Shared>, seq: u64) -> bool {
    let committed = || shared.sources.status.committed.load(Ordering::Acquire) >= seq;
    let wait = async {
        while !committed() {
            tokio::time::sleep(DURABLE_TURN).await;
        }
    };
    tokio::time::timeout(DURABLE_TIME, wait).await.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Result<(Option<String>, Command), Problem> {
        Asked::parse(bytes)?.command()
    }

    #[test]
    fn the_secret_of_a_log_in_never_becomes_part_of_a_command() {
        let (_, command) =
            parse(br#"{"command":"correct","seq":4,"login":"s3cret","dose":2}"#).unwrap();
        assert!(!serde_json::to_string(&command).unwrap().contains("s3cret"));
    }

    #[test]
    fn the_id_never_becomes_part_of_a_command() {
        let (id, command) =
            parse(br#"{"command":"correct","id":"a1","seq":4,"text":"right arm"}"#).unwrap();
        assert_eq!(id.as_deref(), Some("a1"));
        let Command::Correct { seq, fields } = command else {
            panic!("wrong command");
        };
        assert_eq!((seq, fields.len()), (4, 1));
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        for (text, word) in [
            ("", "not JSON"),
            ("{", "not JSON"),
            ("[1]", "JSON object"),
            ("{}", "no `command`"),
            (r#"{"command":7}"#, "no `command`"),
            (r#"{"command":"audio-pause","login":7}"#, "`login`"),
            (r#"{"command":"launch"}"#, "unknown variant"),
            (r#"{"command":"note"}"#, "missing field `text`"),
            (r#"{"command":"away","minutes":-3}"#, "away"),
            (r#"{"command":"note","text":"x","id":{}}"#, "`id`"),
        ] {
            let problem = parse(text.as_bytes()).unwrap_err();
            let body = problem.body().to_string();
            assert!(body.contains(word), "{text}: {body}");
            let status = problem.into_response().status();
            assert_eq!(status, StatusCode::BAD_REQUEST, "{text}");
        }
    }

    #[test]
    fn the_list_of_ids_is_bounded_and_an_id_belongs_to_one_command() {
        let answers = Answers::default();
        let (_keep, outcome) = watch::channel(None);
        for n in 0..MOST_IDS + 10 {
            answers.remember(n.to_string(), Command::AudioPause, outcome.clone());
        }
        assert_eq!(answers.newest.lock().unwrap().len(), MOST_IDS);
        assert!(answers.find("0", &Command::AudioPause).unwrap().is_none());
        assert!(answers.find("200", &Command::AudioPause).unwrap().is_some());
        assert!(answers.find("200", &Command::EndAway).is_err());
    }
}
