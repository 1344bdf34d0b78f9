//! A real Chromium, driven over its DevTools WebSocket.

use crate::display_daemon::{PATIENCE, wait_for};
use infusewatch::display::client;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tungstenite::{Message, WebSocket};

const CHROMIUM: &str = "/usr/bin/chromium";

/// A running browser with one tab.
pub struct Browser {
    /// The process, when it is ours to end.
    process: Option<Child>,
    tab: WebSocket<TcpStream>,
    id: u64,
    _profile: Option<tempfile::TempDir>,
}

/// Whether there is a browser to test with; `tests/run` installs one.
pub fn installed() -> bool {
    let found = Path::new(CHROMIUM).exists();
    if !found {
        println!("skipped: {CHROMIUM} is not installed");
    }
    found
}

/// The flags of a browser without a screen, a network of its own or a first-run page.
pub fn headless(profile: &Path) -> Vec<String> {
    let mut flags: Vec<String> = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        "--autoplay-policy=no-user-gesture-required",
        "--remote-debugging-port=0",
    ]
    .map(String::from)
    .into();
    flags.push(format!("--user-data-dir={}", profile.display()));
    flags
}

impl Browser {
    /// Starts the browser and opens `url`.
    pub fn open(url: &str) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut process = Command::new(CHROMIUM)
            .args(headless(profile.path()))
            .arg("about:blank")
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let port = lines
            .find_map(|line| port_of(&line.unwrap()))
            .expect("a DevTools port");
        // The pipe must not fill up.
        std::thread::spawn(move || lines.for_each(drop));
        let mut browser = Self::attach(port);
        browser.process = Some(process);
        browser._profile = Some(profile);
        browser.call("Page.enable", json!({}));
        browser.call("Page.navigate", json!({ "url": url }));
        browser
    }

    /// Joins a browser that somebody else started and will end.
    pub fn join(profile: &Path) -> Self {
        let port = wait_for("the browser's port", || {
            let text = std::fs::read_to_string(profile.join("DevToolsActivePort")).ok()?;
            text.lines().next()?.parse().ok()
        });
        Self::attach(port)
    }

    fn attach(port: u16) -> Self {
        let target = wait_for("a tab", || first_tab(port));
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (tab, _) = tungstenite::client(target, stream).unwrap();
        Self {
            process: None,
            tab,
            id: 0,
            _profile: None,
        }
    }

    /// One DevTools call and its result.
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        self.try_call(method, params)
            .unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    fn try_call(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        self.id += 1;
        let request = json!({ "id": self.id, "method": method, "params": params });
        self.tab.send(Message::text(request.to_string())).unwrap();
        loop {
            if let Message::Text(text) = self.tab.read().unwrap() {
                let answer: Value = serde_json::from_str(&text).unwrap();
                if answer["id"] == self.id {
                    return match answer.get("error") {
                        Some(error) => Err(error.clone()),
                        None => Ok(answer["result"].clone()),
                    };
                }
            }
        }
    }

    /// The value of an expression (or of the promise that it gives); `null` when it throws, or when the
    /// page goes elsewhere before it has answered.
    pub fn value(&mut self, expression: &str) -> Value {
        let params =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        match self.try_call("Runtime.evaluate", params) {
            Ok(result) => result["result"]["value"].clone(),
            Err(error) if error["message"] == "Inspected target navigated or closed" => Value::Null,
            Err(error) => panic!("{expression}: {error}"),
        }
    }

    /// The visible text of the first element that fits the selector.
    pub fn text(&mut self, selector: &str) -> String {
        let expression = format!("document.querySelector({selector:?})?.innerText ?? ''");
        self.value(&expression).as_str().unwrap_or("").to_owned()
    }

    /// Waits until the expression is true.
    pub fn until(&mut self, expression: &str) {
        wait_for(expression, || {
            (self.value(expression) == true).then_some(())
        });
    }

    /// Presses the middle of the first element that fits the selector, as a finger does.
    pub fn press(&mut self, selector: &str) {
        self.until(&format!(
            "document.querySelector({selector:?})?.checkVisibility() === true"
        ));
        let middle = self.value(&format!(
            "(() => {{ const box = document.querySelector({selector:?}).getBoundingClientRect();
               return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            let params = json!({
                "type": kind, "x": middle[0], "y": middle[1], "button": "left", "clickCount": 1,
            });
            self.call("Input.dispatchMouseEvent", params);
        }
    }

    /// Presses the visible button with this text.
    pub fn press_button(&mut self, text: &str) {
        self.until(&format!(
            "(() => {{ const found = [...document.querySelectorAll('button')].find((node) =>
                node.checkVisibility() && !node.disabled && node.textContent.startsWith({text:?}));
               document.querySelectorAll('[data-test]').forEach((node) => delete node.dataset.test);
               if (found) found.dataset.test = 'pressed';
               return !!found; }})()"
        ));
        self.press("[data-test=pressed]");
    }

    /// Types into the first element that fits the selector.
    pub fn type_into(&mut self, selector: &str, text: &str) {
        self.press(selector);
        self.call("Input.insertText", json!({ "text": text }));
    }

    /// Presses one key: `Tab`, `Enter`, `Escape`, an arrow, or a letter.
    pub fn key(&mut self, key: &str) {
        let text = match key {
            "Enter" => "\r",
            one if one.chars().count() == 1 => one,
            _ => "",
        };
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            "Escape" => 27,
            _ => 0,
        };
        for kind in ["keyDown", "keyUp"] {
            let mut params = json!({ "type": kind, "key": key, "windowsVirtualKeyCode": code });
            if kind == "keyDown" && !text.is_empty() {
                params["text"] = text.into();
            }
            self.call("Input.dispatchKeyEvent", params);
        }
    }

    /// One state of the fingers on the screen: `touchStart`, `touchMove` or `touchEnd`.
    pub fn touch(&mut self, kind: &str, fingers: &[(f64, f64)]) {
        let points: Vec<Value> = fingers
            .iter()
            .enumerate()
            .map(|(id, (x, y))| json!({ "x": x, "y": y, "id": id }))
            .collect();
        self.call(
            "Input.dispatchTouchEvent",
            json!({ "type": kind, "touchPoints": points }),
        );
    }

    /// The frames that the browser draws in this many seconds: when, and the colour at one place.
    pub fn frames(&mut self, seconds: f64, (x, y): (f64, f64)) -> Vec<(f64, [i64; 3])> {
        self.call("Page.startScreencast", json!({ "format": "png" }));
        let mut frames: Vec<(f64, String)> = Vec::new();
        while frames
            .last()
            .is_none_or(|last| last.0 - frames[0].0 < seconds)
        {
            let Message::Text(text) = self.tab.read().unwrap() else {
                continue;
            };
            let mut event: Value = serde_json::from_str(&text).unwrap();
            if event["method"] != "Page.screencastFrame" {
                continue;
            }
            let session = event["params"]["sessionId"].take();
            self.id += 1;
            let seen = json!({
                "id": self.id, "method": "Page.screencastFrameAck", "params": { "sessionId": session },
            });
            self.tab.send(Message::text(seen.to_string())).unwrap();
            let at = event["params"]["metadata"]["timestamp"].as_f64().unwrap();
            frames.push((at, event["params"]["data"].as_str().unwrap().to_owned()));
        }
        self.call("Page.stopScreencast", json!({}));
        let pictures: Vec<&str> = frames.iter().map(|(_, data)| data.as_str()).collect();
        let colours = self.value(&format!(
            "(async () => {{
               const found = [];
               for (const data of {}) {{
                 const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
                 const picture = await createImageBitmap(new Blob([bytes]));
                 const pen = new OffscreenCanvas(picture.width, picture.height).getContext('2d');
                 pen.drawImage(picture, 0, 0);
                 const scale = picture.width / innerWidth;
                 found.push([...pen.getImageData({x} * scale, {y} * scale, 1, 1).data]);
               }}
               return found; }})()",
            json!(pictures)
        ));
        frames
            .iter()
            .zip(colours.as_array().unwrap())
            .map(|((at, _), colour)| (*at, [0, 1, 2].map(|part| colour[part].as_i64().unwrap())))
            .collect()
    }

    /// The size of the window's content.
    pub fn resize(&mut self, width: u32, height: u32) {
        let params = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
        });
        self.call("Emulation.setDeviceMetricsOverride", params);
    }

    /// Writes a picture of the page into the build folder, for people to look at.
    pub fn picture(&mut self, name: &str) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.png")), self.screenshot()).unwrap();
    }

    /// The page as PNG.
    pub fn screenshot(&mut self) -> Vec<u8> {
        let shot = self.call("Page.captureScreenshot", json!({ "format": "png" }));
        from_base64(shot["data"].as_str().unwrap())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// The port in `DevTools listening on ws://127.0.0.1:PORT/…`.
fn port_of(line: &str) -> Option<u16> {
    let (_, rest) = line.split_once("DevTools listening on ws://127.0.0.1:")?;
    rest.split('/').next()?.parse().ok()
}

/// The DevTools address of the first tab, once there is one.
fn first_tab(port: u16) -> Option<String> {
    let (_, body) = client::get(SocketAddr::from(([127, 0, 0, 1], port)), "/json/list").ok()?;
    let tabs: Value = serde_json::from_str(&body).ok()?;
    let tab = tabs.as_array()?.iter().find(|tab| tab["type"] == "page")?;
    Some(tab["webSocketDebuggerUrl"].as_str()?.to_owned())
}

fn from_base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.bytes().filter(|&letter| letter != b'=') {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            _ => 63,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    bytes
}
