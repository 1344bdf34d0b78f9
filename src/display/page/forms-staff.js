// Who works here, the test of lamps and sounds, and the language of the screen.

import { button, element, mark, setText } from "./element.js";
import { logIn, playSound } from "./commands.js";
import { tile } from "./panel.js";
import { staff } from "./staff.js";
import { LANGUAGES, PREFIX, clockShort, countdown, keyed, language, say, speak, told } from "./words.js";

const PRIORITIES = ["high", "medium", "low"];
const LONGEST_PIN = 64;

/** Logs in or out; `done(true)` when somebody is logged in, `done(false)` when it was left. */
export function account(desk, done = () => {}) {
  if (staff.current) {
    desk.panel.open({
      name: "account",
      title: say("account.title"),
      text: say("account.who", { name: staff.current.name, role: staff.current.role ?? "" }),
      actions: [
        button("", async () => {
          const answer = await desk.send({ command: "log-out" });
          staff.forget();
          desk.after(answer);
        }, keyed("account.log-out", { className: "main" })),
      ],
      back: () => desk.close(),
    });
    done(true);
    return;
  }
  const leave = once(done);
  desk.panel.open({
    name: "log-in",
    title: say("account.choose"),
    text: say("account.text"),
    body: [
      element(
        "div",
        { className: "tiles" },
        ...staff.people.map(({ name, role }) => tile(name, role ?? "", () => pin(desk, name, leave))),
      ),
    ],
    leave: () => leave(false),
  });
}

/** `call` as a function that does something the first time only. */
function once(call) {
  let isOver = false;
  return (value) => {
    if (isOver) return;
    isOver = true;
    call(value);
  };
}

/** The PIN of one person; wrong ones are told, and slowed down by the daemon. */
function pin(desk, name, leave) {
  let typed = "";
  let waiting = null;
  const dots = element("output", { className: "dots", ariaLabel: say("account.pin") });
  const go = button("", enter, keyed("account.log-in", { className: "main" }));
  const keys = [..."1234567890"].map((digit) => element("button", { type: "button", textContent: digit, value: digit }));
  for (const key of keys) key.addEventListener("click", () => type(key.value));
  const erase = element("button", { type: "button", textContent: "⌫", ariaLabel: say("key.delete") });
  erase.addEventListener("click", () => set(typed.slice(0, -1)));
  const zero = keys.pop();
  const pad = element("div", { className: "pin" }, ...keys, erase, zero, go);

  // A real keyboard may type what the pad cannot.
  function onKey({ key, target }) {
    if (key === "Enter" && target.tagName !== "BUTTON" && !go.disabled) go.click();
    else if (key === "Backspace") set(typed.slice(0, -1));
    else if (key.length === 1 && key !== " ") type(key);
  }
  function type(sign) {
    if (typed.length < LONGEST_PIN) set(typed + sign);
  }
  function set(signs) {
    typed = signs;
    setText(dots, "●".repeat(signs.length) || "–");
    go.disabled = signs === "" || waiting !== null;
  }
  async function enter() {
    if (typed === "" || waiting !== null) return;
    const answer = await logIn(name, typed);
    set("");
    if (answer.done) {
      // Whoever asked for the log-in goes on by itself.
      leave(true);
      desk.close();
      return;
    }
    desk.panel.tell([answer.error, answer.hint].filter(Boolean).map(told).join(" – "));
    if (answer.retry_after_s > 0) wait(answer.retry_after_s);
  }
  function wait(seconds) {
    const until = performance.now() + seconds * 1000;
    const tick = () => {
      const left = (until - performance.now()) / 1000;
      if (left <= 0) {
        clearInterval(waiting);
        waiting = null;
        desk.panel.tell(say("account.again"));
      } else {
        desk.panel.tell(say("account.wait", { time: countdown(left) }));
      }
      set(typed);
    };
    clearInterval(waiting);
    waiting = setInterval(tick, 250);
    tick();
  }

  document.addEventListener("keydown", onKey);
  desk.panel.open({
    name: "log-in",
    title: say("account.pin-of", { name }),
    body: [dots, pad],
    goesOn: true,
    leave: () => {
      clearInterval(waiting);
      document.removeEventListener("keydown", onKey);
      leave(false);
    },
  });
  set("");
}

/** Lamps and sounds, seen and heard by a person; the result is recorded, good or bad. */
export function selfTest(desk) {
  const last = desk.board.self_test;
  const seen = { lamps: null, sounds: null };
  const heard = new Set();
  const go = button("", save, keyed("test.save", { className: "main" }));
  const lamps = PRIORITIES.map((priority) =>
    element(
      "div",
      { className: "lamp", dataset: { priority, state: "active" } },
      element("span", { className: "shape", ariaHidden: "true" }),
      element("span", { textContent: [PREFIX[priority], say(`lamp.${priority}`)].join(" ") }),
    ),
  );
  const sounds = PRIORITIES.map((priority) =>
    button("", async () => {
      const answer = await playSound(priority);
      if (answer.done) heard.add(priority);
      desk.panel.tell(answer.done ? "" : [answer.error, answer.hint].filter(Boolean).map(told).join(" – "));
      mend();
    }, keyed(`test.play-${priority}`, { value: priority, className: "play" })),
  );
  const question = (name, key) => {
    const answers = [[true, "test.yes"], [false, "test.no"]].map(([value, text]) =>
      button("", () => {
        seen[name] = value;
        mend();
      }, keyed(text, { value: String(value), dataset: { question: name } })),
    );
    return element("div", { className: "question", role: "group", ariaLabel: say(key) }, element("span", keyed(key)), ...answers);
  };
  const body = [
    element("div", { className: "lamps" }, ...lamps),
    question("lamps", "test.lamps"),
    element("div", { className: "sounds" }, ...sounds),
    question("sounds", "test.sounds"),
  ];
  desk.panel.open({
    name: "self-test",
    title: say("test.title"),
    text: last ? say("test.last", { time: clockShort(last.done_at) }) : say("test.none"),
    body,
    actions: [go],
  });
  mend();

  function mend() {
    for (const node of body.flatMap((part) => [...part.querySelectorAll("[data-question]")])) {
      node.ariaPressed = String(String(seen[node.dataset.question]) === node.value);
      // Nobody can say that all three were heard before all three were played.
      if (node.dataset.question === "sounds") node.disabled = node.value === "true" && heard.size < PRIORITIES.length;
    }
    for (const node of sounds) mark(node, "heard", String(heard.has(node.value)));
    go.disabled = seen.lamps === null || seen.sounds === null;
  }
  async function save() {
    desk.after(await desk.send({ command: "self-test", ...seen }));
  }
}

/** The languages of the screen. */
export function languages(desk) {
  desk.panel.open({
    name: "language",
    title: say("language.switch"),
    body: [
      element(
        "div",
        { className: "tiles" },
        ...LANGUAGES.map(({ tag, name }) => {
          const node = tile(name, "", () => speak(tag), { lang: tag });
          node.ariaPressed = String(tag === language());
          return node;
        }),
      ),
    ],
    back: () => desk.more(),
  });
}

/** Whether a test of lamps and sounds is due: none since the program started. */
export const isTestDue = (board) => board.self_test === null;

/** Shows or hides what an absent person may not see: history, never numbers or alarms. */
export function hideHistory() {
  const isHidden = staff.isGuarded && staff.current === null;
  mark(document.body, "history", isHidden ? "hidden" : "shown");
  mark(document.querySelector("#trend"), "note", isHidden ? say("account.history") : "");
}
