// Questions to the nurse. They open in the side column, never over a number or an alarm, and every
// field that is not needed may stay empty. A screen keyboard comes with each text field, so that a
// touch screen is enough.

import { button, element, show } from "./element.js";
import { keyboard } from "./keyboard.js";

/** Who passes a gate, and why. */
const OVERRIDE = [
  { name: "reason", label: "Reason", needed: true, wide: true },
  { name: "by", label: "Name", needed: true, wide: true },
  { name: "second-by", label: "Second person, where two are needed", wide: true },
];

const ARMS = ["", "left", "right"];

const OPENING = [
  { name: "patient", label: "Patient number" },
  { name: "patient-name", label: "Patient name" },
  { name: "weight-kg", label: "Weight, kg", number: true },
  { name: "drug", label: "Drug" },
  { name: "dose-mg", label: "Dose, mg", number: true },
  { name: "planned-min", label: "Planned, min", number: true },
  { name: "cuff-arm", label: "Cuff on arm", choices: ARMS },
  { name: "spo2-arm", label: "SpO₂ on arm", choices: ARMS },
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
    this.#ask("Open a session", "Everything may stay empty.", OPENING, "OPEN SESSION", (about) =>
      this.#command({ command: "open-session", ...about }),
    );
  }

  startInfusion() {
    this.#ask("Start the infusion?", "From now on the limits of the infusion apply.", [], "START", () =>
      this.#gated({ command: "start-infusion" }, "Start all the same?"),
    );
  }

  stopInfusion() {
    this.#ask("Stop the infusion?", "Recovery and its minimum time begin.", [], "STOP", () =>
      this.#command({ command: "stop-infusion" }),
    );
  }

  closeSession() {
    const who = [{ name: "by", label: "Name", needed: true, wide: true }];
    this.#ask("Close the session?", "The patient leaves; patient alarms end.", who, "CLOSE SESSION", ({ by }) =>
      this.#gated({ command: "close-session", by }, "Close all the same?"),
    );
  }

  away() {
    this.#begin("How long may the patient be away?", "Patient alarms are off for that time, 15 minutes at most.");
    const choices = [5, 10, 15].map((minutes) =>
      button(`${minutes} MIN`, async () => this.#finish(await this.#command({ command: "away", minutes }))),
    );
    this.#panel.append(element("div", { className: "actions" }, ...choices, this.#back()));
  }

  /** Sends a command; when a gate refuses it, asks for the override. */
  async #gated(command, title) {
    const answer = await this.#command(command, { gated: true });
    if (answer.status !== 409) return answer;
    const why = [answer.error, answer.hint].filter(Boolean).join(" ");
    this.#ask(title, why, OVERRIDE, "OVERRIDE", (override) => this.#command({ ...command, override }));
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
    return button("BACK", () => this.close(), { className: "quiet" });
  }

  /** A form; `submit(values)` gives the answer, or `null` when it has opened another form. */
  #ask(title, text, fields, action, submit) {
    this.#begin(title, text);
    const form = element("form", { noValidate: true, autocomplete: "off" });
    const inputs = fields.map((field) => this.#field(form, field));
    const go = element("button", { type: "submit", textContent: action, className: "main" });
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
      ? element("select", { name }, ...choices.map((value) => element("option", { value, textContent: value || "–" })))
      : element("input", { name, maxLength: 200, inputMode: number ? "decimal" : "text" });
    input.dataset.kind = number ? "number" : "text";
    input.required = needed;
    const className = wide ? "wide" : "";
    form.append(element("label", { className }, element("span", { textContent: needed ? `${label} (needed)` : label }), input));
    return input;
  }

  #check(input) {
    const value = input.value.trim();
    const fits = value === "" ? !input.required : input.dataset.kind !== "number" || Number(value.replace(",", ".")) > 0;
    input.ariaInvalid = String(!fits);
    return fits;
  }

  #values(inputs) {
    const filled = inputs.filter((input) => input.value.trim() !== "");
    return Object.fromEntries(
      filled.map((input) => {
        const value = input.value.trim();
        return [input.name, input.dataset.kind === "number" ? Number(value.replace(",", ".")) : value];
      }),
    );
  }

  #finish(answer) {
    if (answer.done) this.close();
  }
}
