// Where the session stands, how long, what is next, and the buttons that move it on.

import { button, element, keep, mark, setText, show } from "./element.js";
import { hideHistory, isTestDue } from "./forms-staff.js";
import { staff } from "./staff.js";
import * as words from "./words.js";
import { keyed, say } from "./words.js";

const LEAVING = ["recovery", "observation"];
const ANY = ["standby", "baseline", "infusion", "paused", ...LEAVING];
const hasChecklist = (board) => Boolean(board.session?.checklist);

const STEPS = ["baseline", "infusion", "recovery", "observation"];

/** The next task, and when it is due. */
function taskLine({ text, overdue, due_in_s: left }) {
  const task = words.told(text);
  return overdue ? say("task.due", { task }) : say("task.in", { task, time: words.countdown(left) });
}

/** The timer that matters in each phase: its name and its text. */
function timer(board) {
  const session = board.session;
  if (!session) return ["", ""];
  const observe = session.observe_left_s;
  switch (board.phase) {
    case "infusion":
    case "paused":
      return [say("timer.run"), words.running(session.infusion_run_s)];
    case "recovery":
    case "observation":
      if (observe === null) return [say("timer.observe"), "--"];
      return observe > 0 ? [say("timer.observe"), words.countdown(observe)] : [say("timer.minimum"), say("timer.over")];
    default:
      return [say("timer.open"), words.clockShort(session.opened_at)];
  }
}

export class Session {
  #step = document.querySelector("#phases");
  #buttons;
  #audio;
  #acknowledgeAll;
  #board = null;
  #command;
  #forms;

  /** `command(object)` sends a command; `forms` ask before one; `alarms` know what has been seen. */
  constructor(command, forms, alarms) {
    this.#command = command;
    this.#forms = forms;
    const plain = (name) => async () => forms.after(await forms.send({ command: name }));
    // Each with the phases in which it can be pressed.
    this.#buttons = [
      { node: button("", () => forms.openSession(), keyed("session.open", { className: "main" })), when: ["standby"] },
      { node: button("", () => forms.selfTest(), keyed("more.self-test")), when: ["standby"], only: isTestDue },
      {
        node: button("", () => forms.startInfusion(), keyed("session.start", { className: "main" })),
        when: ["baseline"],
      },
      { node: button("", plain("pause-infusion"), keyed("session.pause")), when: ["infusion"] },
      { node: button("", plain("resume-infusion"), keyed("session.resume", { className: "main" })), when: ["paused"] },
      { node: button("", plain("stop-infusion"), keyed("session.stop")), when: ["infusion", "paused"] },
      { node: button("", () => forms.drugs(), keyed("more.drugs")), when: ["infusion", "paused"] },
      {
        node: button("", () => forms.checklist(), keyed("more.checklist", { className: "main" })),
        when: LEAVING,
        only: hasChecklist,
      },
      { node: button("", () => forms.scores(), keyed("more.scores")), when: ["baseline", "infusion", "paused", ...LEAVING] },
      {
        node: button("", () => forms.away(), keyed("session.away", { className: "quiet" })),
        when: ["baseline", "recovery", "observation"],
        away: false,
      },
      {
        node: button("", plain("end-away"), keyed("session.back", { className: "main" })),
        when: ["baseline", "recovery", "observation"],
        away: true,
      },
      {
        node: button("", () => forms.closeSession(), keyed("session.close", { className: "quiet" })),
        when: ["baseline", ...LEAVING],
        only: (board) => board.phase === "baseline" || !hasChecklist(board),
      },
      { node: button("", () => forms.more(), keyed("session.more", { className: "quiet" })), when: ANY },
    ];
    document.querySelector("#session-controls").append(...this.#buttons.map(({ node }) => node));
    this.#acknowledgeAll = button(
      "",
      () => alarms.isSettled() && this.#command({ command: "acknowledge", alarm: "all", seen_seq: this.#board.seq }),
      keyed("alarm.acknowledge-all"),
    );
    this.#audio = button("", () =>
      this.#command({ command: this.#board.audio.state === "paused" ? "end-audio-pause" : "audio-pause" }),
    );
    this.#audio.id = "audio-pause";
    this.#acknowledgeAll.id = "acknowledge-all";
    document.querySelector("#alarm-controls").append(this.#acknowledgeAll, this.#audio);
  }

  draw(board, mayCommand) {
    this.#board = board;
    staff.take(board.access);
    hideHistory();
    mark(document.body, "training", String(board.training === true));
    const text = (selector, value) => setText(document.querySelector(selector), value);
    text("#bed", board.bed);
    const about = board.session?.about;
    text("#patient", [about?.["patient-name"], about?.patient].filter(Boolean).join(" · "));
    text("#now", words.clock(board.now));
    this.#drawPhases(board);
    const [name, value] = timer(board);
    text("#timer .name", name);
    text("#timer .value", value);
    const task = board.next_task;
    show(document.querySelector("#task"), !!task);
    if (task) {
      mark(document.querySelector("#task"), "overdue", String(task.overdue));
      text("#task .value", taskLine(task));
    }
    const away = board.away_left_s !== null;
    for (const { node, when, away: whenAway, only = () => true } of this.#buttons) {
      show(node, mayCommand && when.includes(board.phase) && (whenAway ?? away) === away && only(board));
    }
    this.#forms.draw(board);
    const waiting = board.alarms.filter((alarm) => alarm.state !== "acknowledged").length;
    show(this.#acknowledgeAll, mayCommand && waiting > 1);
    show(this.#audio, mayCommand);
    const paused = board.audio.state === "paused";
    mark(this.#audio, "paused", String(paused));
    const left = words.countdown(board.audio.pause_left_s ?? 0);
    setText(this.#audio, paused ? `${say("alarm.end-audio-pause")} ${left}` : say("alarm.audio-pause"));
  }

  /** Without data no command can be judged by what is seen. */
  drawNoData() {
    for (const { node } of this.#buttons) show(node, false);
    show(this.#acknowledgeAll, false);
    show(this.#audio, false);
    const text = (selector, value) => setText(document.querySelector(selector), value);
    text("#timer .value", "--");
    text("#now", "--:--:--");
    show(document.querySelector("#task"), false);
  }

  #drawPhases(board) {
    const steps = board.phase === "standby" ? ["standby"] : STEPS;
    const current = board.phase === "paused" ? "infusion" : board.phase;
    keep(
      this.#step,
      steps,
      (step) => step,
      () => element("li"),
      (node, step) => {
        const paused = step === "infusion" && board.phase === "paused";
        setText(node, words.phase(paused ? "paused" : step));
        mark(node, "current", String(step === current));
      },
    );
  }
}
