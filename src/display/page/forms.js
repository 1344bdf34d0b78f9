// Questions to the nurse. They open in the side column, never over a number or an alarm, and every
// field that is not needed may stay empty. A screen keyboard comes with each text field, so that a
// touch screen is enough.

import { button, element, show } from "./element.js";
import { keyboard } from "./keyboard.js";
import { keyed, say, told, typed } from "./words.js";

/** Who passes a gate, and why. */
const OVERRIDE = [
  { name: "reason", label: "form.reason", needed: true, wide: true },
  { name: "by", label: "form.by", needed: true, wide: true },
  { name: "second-by", label: "form.second-by", wide: true },
];

const ARMS = { "": "form.none", left: "arm.left", right: "arm.right" };

const OPENING = [
  { name: "patient", label: "open.patient" },
  { name: "patient-name", label: "open.patient-name" },
  { name: "weight-kg", label: "open.weight", number: true },
  { name: "drug", label: "open.drug" },
  { name: "dose-mg", label: "open.dose", number: true },
  { name: "planned-min", label: "open.planned", number: true },
  { name: "cuff-arm", label: "open.cuff-arm", choices: ARMS },
  { name: "spo2-arm", label: "open.spo2-arm", choices: ARMS },
];

export class Forms {
  #panel = document.querySelector("#panel");
  #command;

  /**
   * `command(object, { gated })` sends a command and gives its answer; a refusal of a gated one is told
   * by the form itself.
   */
  constructor(command) {
    this.#command = command;
  }

  get open() {
    return !this.#panel.hidden;
  }

  close() {
    show(this.#panel, false);
    this.#panel.replaceChildren();
  }

  openSession() {
    this.#ask(say("open.title"), say("open.text"), OPENING, "session.open", (about) =>
      this.#command({ command: "open-session", ...about }),
    );
  }

  startInfusion() {
    this.#ask(say("start.title"), say("start.text"), [], "start.action", () =>
      this.#gated({ command: "start-infusion" }, say("start.override")),
    );
  }

  stopInfusion() {
    this.#ask(say("stop.title"), say("stop.text"), [], "stop.action", () =>
      this.#command({ command: "stop-infusion" }),
    );
  }

  closeSession() {
    const who = [{ name: "by", label: "form.by", needed: true, wide: true }];
    this.#ask(say("close.title"), say("close.text"), who, "session.close", ({ by }) =>
      this.#gated({ command: "close-session", by }, say("close.override")),
    );
  }

  away() {
    this.#begin(say("away.title"), say("away.text"));
    const choices = [5, 10, 15].map((minutes) =>
      button(say("away.minutes", { n: minutes }), async () => this.#finish(await this.#command({ command: "away", minutes }))),
    );
    this.#panel.append(element("div", { className: "actions" }, ...choices, this.#back()));
  }

  /** Sends a command; when a gate refuses it, asks for the override. */
  async #gated(command, title) {
    const answer = await this.#command(command, { gated: true });
    if (answer.status !== 409) return answer;
    const why = [answer.error, answer.hint].filter(Boolean).map(told).join(" ");
    this.#ask(title, why, OVERRIDE, "form.override", (override) => this.#command({ ...command, override }));
    return null;
  }

  #begin(title, text) {
    this.#panel.replaceChildren(
      element("h2", { textContent: title }),
      element("p", { textContent: text }),
    );
    show(this.#panel, true);
  }

  #back() {
    return button("", () => this.close(), keyed("form.back", { className: "quiet" }));
  }

  /** A form; `submit(values)` gives the answer, or `null` when it has opened another form. */
  #ask(title, text, fields, action, submit) {
    this.#begin(title, text);
    const form = element("form", { noValidate: true, autocomplete: "off" });
    const inputs = fields.map((field) => this.#field(form, field));
    const go = element("button", { ...keyed(action), type: "submit", className: "main" });
    form.append(element("div", { className: "actions" }, go, this.#back()));
    const texts = inputs.filter((input) => input.tagName === "INPUT");
    if (texts.length > 0) form.append(keyboard(texts));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const missing = inputs.find((input) => !this.#check(input));
      if (missing) {
        missing.focus();
        return;
      }
      go.disabled = true;
      const answer = await submit(this.#values(inputs));
      go.disabled = false;
      if (answer) this.#finish(answer);
    });
    this.#panel.append(form);
  }

  #field(form, { name, label, needed = false, number = false, wide = false, choices = null }) {
    const input = choices
      ? element("select", { name }, ...Object.entries(choices).map(([value, key]) => element("option", keyed(key, { value }))))
      : element("input", { name, maxLength: 200, inputMode: number ? "decimal" : "text" });
    input.dataset.kind = number ? "number" : "text";
    input.required = needed;
    const className = wide ? "wide" : "";
    form.append(element("label", { className }, element("span", { textContent: needed ? say("form.needed", { label: say(label) }) : say(label) }), input));
    return input;
  }

  #check(input) {
    const value = input.value.trim();
    const fits = value === "" ? !input.required : input.dataset.kind !== "number" || typed(value) > 0;
    input.ariaInvalid = String(!fits);
    return fits;
  }

  #values(inputs) {
    const filled = inputs.filter((input) => input.value.trim() !== "");
    return Object.fromEntries(
      filled.map((input) => {
        const value = input.value.trim();
        return [input.name, input.dataset.kind === "number" ? typed(value) : value];
      }),
    );
  }

  #finish(answer) {
    if (answer.done) this.close();
  }
}
