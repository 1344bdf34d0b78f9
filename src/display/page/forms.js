// The nurse's forms: what opens, starts, stops and closes a session, and the way to everything else
// that is entered. Only what ends monitoring is asked twice; what a gate refuses can be done with a
// reason and a name.

import { button, element } from "./element.js";
import { form } from "./fields.js";
import { corrections } from "./forms-correct.js";
import { drugs, notes, rate } from "./forms-entries.js";
import { checklist, closing, signature } from "./forms-leave.js";
import { baseline, limits } from "./forms-limits.js";
import { scores } from "./forms-scores.js";
import { account, languages, selfTest } from "./forms-staff.js";
import { Panel, tile } from "./panel.js";
import { staff } from "./staff.js";
import { keyed, number, say, told, typed } from "./words.js";

const DRUGS = ["drug.ketamine", "drug.esketamine"];
const ARMS = ["left", "right"];
const OVERRIDES = ["override.known", "override.rechecked", "override.prescriber"];
const MAY_LEAVE = ["baseline", "recovery", "observation"];
const AWAY_MINUTES = [5, 10, 15];

/** The views behind MORE: when each can be used, and what its tile says. */
const MORE = [
  { view: "checklist", open: checklist, when: (board) => Boolean(board.session?.checklist) },
  { view: "scores", open: scores, when: (board) => Boolean(board.session) },
  { view: "drugs", open: drugs, when: (board) => Boolean(board.session) },
  { view: "rate", open: rate, when: (board) => Boolean(board.session) },
  { view: "notes", open: notes, when: (board) => Boolean(board.session) },
  { view: "limits", open: limits, when: (board) => Boolean(board.session?.limits) },
  { view: "baseline", open: baseline, when: (board) => Boolean(board.session) },
  { view: "correct", open: corrections, when: (board) => Boolean(board.session) },
  { view: "away", open: (desk) => desk.away(), when: ({ phase, away_left_s: away }) => MAY_LEAVE.includes(phase) && away === null },
  { view: "again", open: (desk) => desk.startInfusion(), when: ({ phase }) => phase === "recovery" || phase === "observation" },
  { view: "sign", open: signature, when: (board) => Boolean(board.session) },
  { view: "self-test", open: selfTest, when: (board) => "self_test" in board },
  { view: "account", open: account, when: () => staff.people.length > 0 },
  { view: "language", open: languages, when: () => true },
];

export class Forms {
  panel = new Panel();
  board = null;
  #command;

  /**
   * `command(object, { gated })` sends a command and gives its answer; a refusal of a gated one is told
   * by the form itself.
   */
  constructor(command) {
    this.#command = command;
    document.addEventListener("language", () => this.open && this.more());
  }

  get open() {
    return this.panel.isOpen;
  }

  close() {
    this.panel.close();
  }

  /** Keeps the open form in step with the board. */
  draw(board) {
    this.board = board;
    this.panel.draw(board);
  }

  /** Everything that can be entered now. */
  more() {
    const now = MORE.filter(({ when }) => when(this.board));
    this.panel.open({
      name: "more",
      title: say("more.title"),
      body: [element("div", { className: "tiles" }, ...now.map(({ view, open }) => tile(say(`more.${view}`), "", () => open(this))))],
    });
  }

  scores = () => scores(this);
  drugs = () => drugs(this);
  checklist = () => checklist(this);
  selfTest = () => selfTest(this);

  /** Sends a command; where the clinic asks for a log-in, asks for it first. `null` when there was none. */
  async send(command, options) {
    if (!(await this.admit(command.command))) return null;
    const answer = await this.#command(command, options);
    if (answer.status !== 403 || !staff.needsLogIn(command.command)) return answer;
    // The daemon has ended the log-in meanwhile.
    return (await this.admit(command.command)) ? this.#command(command, options) : null;
  }

  /** Whether this command may be sent: asks for a log-in where one is needed. */
  async admit(command) {
    if (!staff.needsLogIn(command)) return true;
    return new Promise((resolve) => account(this, resolve));
  }

  /** After an answer: on with `next` when it was done, and never left at the log-in. */
  after(answer, next = () => this.close()) {
    if (answer?.done) next();
    else if (answer === null || this.panel.view === "log-in") this.close();
  }

  /** A form as a view: `submit(values)` sends; `action` is the key of its button. */
  ask({ name, title, text = "", fields, action, submit, back }) {
    const go = element("button", { ...keyed(action), type: "submit", className: "main" });
    go.setAttribute("form", "panel-form");
    const node = form(fields, go, submit);
    this.panel.open({ name, title, text, body: [node], actions: [go], back });
    return node;
  }

  async openSession() {
    if (!(await this.admit("open-session"))) return;
    const node = this.ask({
      name: "open-session",
      title: say("open.title"),
      text: say("open.text"),
      action: "session.open",
      fields: [
        { name: "patient", label: "open.patient" },
        { name: "patient-name", label: "open.patient-name" },
        { kind: "chosen", name: "drug", label: "open.drug", options: DRUGS.map((key) => [say(key), say(key)]), other: true },
        { name: "weight-kg", label: "open.weight", number: true, max: 400 },
        { name: "dose-mg", label: "open.dose", number: true, max: 10000 },
        { name: "planned-min", label: "open.planned", number: true, max: 1440, usual: [40, 60, 90, 120] },
        { kind: "chosen", name: "cuff-arm", label: "open.cuff-arm", options: ARMS.map((arm) => [arm, say(`arm.${arm}`)]), wide: false },
        { kind: "chosen", name: "spo2-arm", label: "open.spo2-arm", options: ARMS.map((arm) => [arm, say(`arm.${arm}`)]), wide: false },
      ],
      submit: async (about) => this.after(await this.send({ command: "open-session", ...about })),
    });
    showPerKilogram(node);
  }

  startInfusion() {
    return this.gated({ command: "start-infusion" }, "start.override");
  }

  async away() {
    this.panel.open({
      name: "away",
      title: say("away.title"),
      text: say("away.text"),
      actions: AWAY_MINUTES.map((minutes) =>
        button(say("away.minutes", { n: minutes }), async () => this.after(await this.send({ command: "away", minutes }))),
      ),
    });
  }

  closeSession() {
    return closing(this);
  }

  /** Sends a command; when a gate refuses it, asks for a reason and who decides. */
  async gated(command, title) {
    const answer = await this.send(command, { gated: true });
    if (answer?.status !== 409) {
      this.after(answer);
      return;
    }
    const needsTwo = /two people/.test(answer.hint ?? "");
    const anybody = { kind: "person", people: staff.names, other: true, needed: true };
    this.ask({
      name: "override",
      title: say(title),
      text: [answer.error, answer.hint].filter(Boolean).map(told).join(" – "),
      action: "form.override",
      fields: [
        { kind: "chosen", name: "reason", label: "form.reason", options: OVERRIDES.map((key) => [say(key), say(key)]), other: true, needed: true },
        { ...anybody, name: "by", label: "form.by", value: staff.current?.name },
        ...(needsTwo ? [{ ...anybody, name: "second-by", label: "form.second-by" }] : []),
      ],
      submit: async (override) => this.after(await this.send({ ...command, override })),
    });
  }
}

/** Says beside the dose what it is per kilogram: a slipped digit is seen before it counts. */
function showPerKilogram(node) {
  const [weight, dose] = ["weight-kg", "dose-mg"].map((name) => node.querySelector(`[name=${name}]`));
  const label = dose.parentElement.querySelector("span");
  node.addEventListener("input", () => {
    const share = typed(dose.value) / typed(weight.value);
    label.textContent = share > 0 && Number.isFinite(share)
      ? say("open.dose-per-kg", { dose: number(Math.round(share * 100) / 100) })
      : say("open.dose");
  });
}
