// The alarm line on top, and the list of all other alarms under it. Priority is told by colour, by
// prefix, by shape and by position; an acknowledged alarm stays, steady, until it is over.

import { button, element, keep, mark, setText, show } from "./element.js";
import { PREFIX, clock, keyed, parameter, phase, say, told } from "./words.js";

/** Sources of a limit that are not plain from the text. */
const SOURCES = ["profile", "nurse", "device"];

/** Parts of an explanation that the one-line text does not already say. */
const EXPLAINED = {
  limit_source: (value) => SOURCES.includes(value) && say(`source.${value}`),
  delay_s: (value) => value > 0 && say("alarm.after", { n: value }),
  phase: (value, { class: kind }) => kind === "physiological" && say("alarm.limits-of", { phase: phase(value).toLowerCase() }),
  feed: (value, { text }) => !text.includes(value) && say("alarm.feed", { name: value }),
  age_s: (value) => value >= 2 && say("alarm.value-age", { n: Math.round(value) }),
};

function explain(alarm) {
  return Object.entries(EXPLAINED)
    .filter(([name]) => ["string", "number"].includes(typeof alarm.explanation?.[name]))
    .map(([name, words]) => words(alarm.explanation[name], alarm))
    .filter(Boolean)
    .join(" · ");
}

/** A text longer than these is set smaller, so that none is ever cut off. */
const SIZES = [["short", 30], ["middle", 44], ["long", Infinity]];
const sizeOf = (text) => SIZES.find(([, most]) => text.length <= most)[0];

/** Where an alarm stands, and by whom it was acknowledged. */
function state({ state: name, acknowledged_by: by }) {
  if (name === "acknowledged") return by ? say("alarm.acknowledged-by", { name: by }) : say("alarm.acknowledged");
  return name === "returned" ? say("alarm.returned") : "";
}

/**
 * A finger that was already on its way when the alarms changed meant the alarm that stood there before.
 * For this long after a change, an acknowledgement is not sent.
 */
const SETTLE_MS = 700;

export class Alarms {
  #line = document.querySelector("#alarm-line");
  #list = document.querySelector("#alarm-list");
  #more = document.querySelector("#more-alarms");
  #first = null;
  #acknowledgeFirst = document.querySelector("#acknowledge-first");
  #command;
  #say;
  #shown = "";
  #settling = null;
  #announced = document.querySelector("#announcement");

  /** `command(object)` sends a command, `say(text)` tells the nurse something. */
  constructor(command, say) {
    this.#command = command;
    this.#say = say;
    // From here on these two say what the board says.
    for (const part of [".text", ".detail"]) delete this.#line.querySelector(part).dataset.say;
    this.#acknowledgeFirst.addEventListener("click", () => this.#acknowledge(this.#first));
    this.#more.addEventListener("click", () => this.#unfold(this.#list.dataset.all !== "true"));
  }

  /** Takes the board's alarms, most urgent first. */
  draw(alarms, mayCommand) {
    this.#settle(alarms.map(({ id, priority }) => `${id} ${priority}`).join());
    const [first, ...others] = alarms;
    this.#first = first ?? null;
    mark(this.#line, "priority", first?.priority ?? "none");
    mark(this.#line, "state", first?.state ?? "none");
    mark(this.#line, "alarm", String(first?.id ?? ""));
    const [prefix, text, detail] = [".prefix", ".text", ".detail"].map((part) =>
      this.#line.querySelector(part),
    );
    setText(prefix, first ? PREFIX[first.priority] : "");
    setText(text, first ? told(first.text) : say("alarm.none"));
    setText(detail, first ? this.#detail(first) : "");
    mark(this.#line, "size", sizeOf(text.textContent));
    // Said once by a screen reader, not with every second that the line counts.
    setText(this.#announced, first ? `${say(`tier.${first.priority}`)}: ${told(first.text)}` : say("alarm.none"));
    show(this.#acknowledgeFirst, mayCommand && !!first && first.state !== "acknowledged");
    show(this.#more, others.length > 0);
    setText(this.#more, say("alarm.more", { n: others.length }));
    if (others.length === 0) this.#unfold(false);
    keep(
      this.#list,
      others,
      (alarm) => alarm.id,
      (alarm) => this.#row(alarm),
      (row, alarm) => this.#change(row, alarm, mayCommand),
    );
  }

  /** Takes the line over while there is no data. */
  drawNoData(since) {
    this.#first = null;
    mark(this.#line, "priority", "no-data");
    mark(this.#line, "state", "active");
    mark(this.#line, "size", "short");
    setText(this.#announced, `${say("no-data.title")}. ${say("no-data.detail")}`);
    setText(this.#line.querySelector(".prefix"), "***");
    setText(this.#line.querySelector(".text"), say("no-data.title"));
    setText(
      this.#line.querySelector(".detail"),
      since ? say("no-data.since", { time: since }) : say("no-data.detail"),
    );
    show(this.#acknowledgeFirst, false);
    show(this.#more, false);
    this.#unfold(false);
    keep(this.#list, [], () => "", () => null, () => {});
  }

  /** Whether what is shown has stood long enough to be acknowledged; says so when not. */
  isSettled() {
    if (this.#settling === null) return true;
    this.#say(say("alarm.changed"));
    return false;
  }

  /** Gives the list the whole side column, or its place above the waves. */
  #unfold(all) {
    mark(this.#list, "all", String(all));
    this.#more.ariaExpanded = String(all);
  }

  #settle(shown) {
    if (shown === this.#shown) return;
    this.#shown = shown;
    clearTimeout(this.#settling);
    mark(document.body, "settled", "false");
    this.#settling = setTimeout(() => {
      this.#settling = null;
      mark(document.body, "settled", "true");
    }, SETTLE_MS);
  }

  #detail(alarm) {
    return [say("alarm.since", { time: clock(alarm.since) }), state(alarm), explain(alarm)]
      .filter(Boolean)
      .join(" · ");
  }

  #row(alarm) {
    const row = element(
      "li",
      { className: "alarm" },
      element("span", { className: "shape", ariaHidden: "true" }),
      element("span", { className: "prefix" }),
      element("span", { className: "text" }),
      element("span", { className: "detail" }),
    );
    row.append(
      button("", () => this.#acknowledge(row.alarm), {
        ...keyed("alarm.acknowledge-short"),
        className: "acknowledge",
      }),
    );
    if (alarm.rule === "wrong-patient") {
      row.append(
        button("", () => this.#command({ command: "confirm-patient" }), {
          ...keyed("alarm.same-patient"),
          className: "confirm",
        }),
      );
    }
    return row;
  }

  #change(row, alarm, mayCommand) {
    row.alarm = alarm;
    mark(row, "priority", alarm.priority);
    mark(row, "state", alarm.state);
    mark(row, "class", alarm.class);
    setText(row.querySelector(".prefix"), PREFIX[alarm.priority]);
    setText(row.querySelector(".text"), told(alarm.text) || parameter(alarm.parameter ?? alarm.rule));
    setText(row.querySelector(".detail"), this.#detail(alarm));
    row.querySelector(".acknowledge").ariaLabel = `${say("alarm.acknowledge-label")}: ${told(alarm.text)}`;
    show(row.querySelector(".acknowledge"), mayCommand && alarm.state !== "acknowledged");
  }

  #acknowledge(alarm) {
    if (!alarm || !this.isSettled()) return undefined;
    return this.#command({
      command: "acknowledge",
      alarm: alarm.id,
      seen_priority: alarm.priority,
    });
  }
}
