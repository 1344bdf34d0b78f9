// The numbers. A number is shown only while the board calls it a value; otherwise `--` and why, in
// words. Nothing on the page ever lies over them.

import { element, keep, mark, setText, show } from "./element.js";
import * as words from "./words.js";

/** A cuff reading older than this is dimmed (monitors clear it after 15 min; clinical facts, 9). */
const OLD_CUFF_S = 900;
/** The age of a continuous number is worth saying, and the number dimmed, from here on. */
const NOTABLE_AGE_S = 5;
/** The band around the baseline (clinical facts, 10). */
const BAND = 0.2;

const RATES = ["hr", "pr", "art-pr", "nibp-pr"];
const PRESSURES = [
  { name: "vital.art-pressure", sys: "art-sys", dia: "art-dia", mean: "art-mean", cuff: false },
  { name: "vital.pressure", sys: "nibp-sys", dia: "nibp-dia", mean: "nibp-mean", cuff: true },
];
const SMALL = ["rr", "etco2", "temp", "pi"];
const MOST_SMALL = 6;

/** Which big tile an alarm's parameter belongs to. */
const TILE_OF = {
  spo2: "spo2",
  pi: "spo2",
  ...Object.fromEntries(RATES.map((name) => [name, "rate"])),
  ...Object.fromEntries(PRESSURES.flatMap(({ sys, dia, mean }) => [sys, dia, mean]).map((name) => [name, "pressure"])),
};

const ORDER = { low: 1, medium: 2, high: 3 };

function tile(id) {
  return element(
    "article",
    { className: "tile", id: `tile-${id}`, dataset: { vital: id } },
    element(
      "h2",
      {},
      element("span", { className: "name" }),
      element("span", { className: "unit" }),
      element("span", { className: "grade", hidden: true }),
    ),
    element("div", { className: "limits" }),
    element("div", { className: "number", textContent: "--" }),
    element(
      "div",
      { className: "foot" },
      element("div", { className: "why" }),
      element("div", { className: "next" }),
      element("div", { className: "when" }),
      element("div", { className: "base" }),
    ),
  );
}

/** The number as shown. */
const shown = (vital) => (vital?.value == null ? "--" : words.number(vital.value));

/** The judged source of these parameters, else the first with a value, else the first known. */
function choose(vitals, names) {
  const known = names.flatMap((name) => vitals.filter((vital) => vital.parameter === name));
  return known.find((vital) => vital.judged) ?? known.find((vital) => vital.value !== null) ?? known[0];
}

function limits(vital) {
  if (!vital) return "";
  const { low, high, off, source } = vital.limits;
  if (off) return words.say("vital.limit-off");
  if (low === null && high === null) return "";
  const mine = source === "nurse" ? ` ${words.say("vital.by-hand")}` : source === "baseline" ? ` ${words.say("vital.baseline")}` : "";
  // Values are whole numbers: 148.8 is passed by 149, so that 148 is the last one inside.
  const inside = [low === null ? "" : Math.ceil(low), high === null ? "" : Math.floor(high)];
  if (high === null) return words.say("vital.low", { n: inside[0] }) + mine;
  if (low === null) return words.say("vital.high", { n: inside[1] }) + mine;
  return `${inside.join("–")}${mine}`;
}

/** How long until the next cuff reading is due. */
function next({ cuff_due_in_s: due }) {
  if (due == null) return "";
  return due > 0 ? words.say("vital.next", { time: words.countdown(due) }) : words.say("vital.next-due");
}

/** The session's baseline of a parameter, and the band around it. */
function baseline(board, vital) {
  const value = board.session?.baseline.find(({ parameter }) => parameter === vital?.parameter)?.value;
  if (value == null) return "";
  // The whole numbers inside, as for limits.
  const [low, high] = [Math.ceil(value * (1 - BAND)), Math.floor(value * (1 + BAND))];
  return vital.parameter === "spo2"
    ? words.say("vital.base", { n: value })
    : words.say("vital.band", { n: value, percent: 100 * BAND, low, high });
}

export class Vitals {
  #root = document.querySelector("#vitals");
  #spo2 = tile("spo2");
  #rate = tile("rate");
  #pressure = tile("pressure");
  #small = element("div", { id: "small-vitals" });
  /** When each parameter last had a value, so that `--` can say how long it has been. */
  #lastValue = new Map();

  constructor() {
    this.#root.append(this.#spo2, this.#rate, this.#pressure, this.#small);
  }

  /** Takes the board's numbers and marks the tiles that are in alarm. */
  draw(board) {
    for (const vital of board.vitals) {
      if (vital.value !== null) this.#lastValue.set(vital.parameter, vital.received_at);
    }
    const rate = choose(board.vitals, RATES);
    const spo2 = choose(board.vitals, ["spo2"]);
    this.#one(this.#spo2, spo2, words.say("vital.spo2"), board);
    this.#one(this.#rate, rate, words.say(`vital.${rate?.parameter ?? "hr"}`), board);
    const pressure = this.#drawPressure(board);
    this.#drawSmall(board.vitals, [spo2, rate, ...pressure]);
    this.#markAlarms(board.alarms);
  }

  /** Every number becomes `--`. */
  drawNoData() {
    for (const node of [this.#spo2, this.#rate, this.#pressure]) {
      this.#number(node, "--", "invalid");
      setText(node.querySelector(".why"), words.say("no-data.title"));
      for (const part of [".limits", ".next", ".base"]) setText(node.querySelector(part), "");
      mark(node, "old", "false");
      const last = this.#lastValue.get(node.dataset.parameter);
      setText(node.querySelector(".when"), last ? words.say("vital.last", { time: words.clock(last) }) : "");
      mark(node, "alarm", "none");
    }
    keep(this.#small, [], () => "", () => null, () => {});
  }

  #number(node, text, validity) {
    setText(node.querySelector(".number"), text);
    mark(node, "validity", validity);
  }

  /** Says what a tile shows, and when its source is none that alarms should rest on alone. */
  #title(node, name, vital) {
    setText(node.querySelector(".name"), name);
    if (node.ariaLabel !== name) node.ariaLabel = name;
    const grade = node.querySelector(".grade");
    show(grade, vital?.display_grade === true);
    setText(grade, words.say("vital.grade"));
  }

  #one(node, vital, name, board) {
    this.#title(node, name, vital);
    setText(node.querySelector(".unit"), words.unit(vital?.unit));
    setText(node.querySelector(".limits"), limits(vital));
    mark(node, "parameter", vital?.parameter ?? "");
    this.#number(node, shown(vital), vital?.validity ?? "invalid");
    setText(node.querySelector(".why"), this.#why(vital));
    setText(node.querySelector(".when"), this.#when(vital));
    setText(node.querySelector(".base"), baseline(board, vital));
    mark(node, "old", String(vital?.value != null && vital.age_s >= NOTABLE_AGE_S));
  }

  #why(vital) {
    if (!vital) return words.say("vital.never");
    if (vital.validity === "questionable") return `? ${words.cause(vital.cause)}`;
    return vital.value === null ? words.cause(vital.cause) : "";
  }

  #when(vital) {
    if (!vital) return "";
    if (vital.value === null) {
      const stale = vital.cause === "old" ? vital.received_at : null;
      const last = stale ?? this.#lastValue.get(vital.parameter);
      return last ? words.say("vital.last", { time: words.clock(last) }) : "";
    }
    return vital.age_s >= NOTABLE_AGE_S ? words.say("vital.old", { age: words.age(vital.age_s) }) : "";
  }

  #drawPressure(board) {
    const { vitals } = board;
    const lines = PRESSURES.map((kind) => ({
      ...kind,
      sys: choose(vitals, [kind.sys]),
      dia: choose(vitals, [kind.dia]),
      mean: choose(vitals, [kind.mean]),
    }));
    const line =
      lines.find(({ sys }) => sys && sys.value !== null) ?? lines.find(({ sys }) => sys) ?? lines[1];
    const { sys, dia, mean } = line;
    const node = this.#pressure;
    this.#title(node, words.say(line.name), sys);
    setText(node.querySelector(".unit"), words.unit(sys?.unit ?? "mmHg"));
    const range = [["vital.sys", limits(sys)], ["vital.dia", limits(dia)]]
      .map(([key, text]) => text && words.say(key, { limits: text }));
    setText(node.querySelector(".limits"), range.filter(Boolean).join("   "));
    mark(node, "parameter", sys?.parameter ?? "nibp-sys");
    const main = `${shown(sys)}/${shown(dia)}`;
    this.#number(node, sys || dia ? main : "--", sys?.validity ?? "invalid");
    const old = line.cuff && sys?.value != null && sys.age_s > OLD_CUFF_S;
    mark(node, "old", String(old));
    const middle = mean?.value != null ? words.say("vital.mean", { n: mean.value }) : "";
    setText(node.querySelector(".why"), [this.#why(sys), middle].filter(Boolean).join(" · "));
    if (sys?.value != null && line.cuff) {
      // The device's own time says when the cuff measured; its age is what we can vouch for.
      const measured = sys.measured_at ? sys.measured_at.slice(11, 16) : words.clockShort(sys.received_at);
      setText(node.querySelector(".when"), words.say("vital.measured", { time: measured, age: words.age(sys.age_s) }));
    } else {
      setText(node.querySelector(".when"), this.#when(sys));
    }
    setText(node.querySelector(".next"), line.cuff ? next(board) : "");
    setText(node.querySelector(".base"), baseline(board, sys));
    return [sys, dia, mean];
  }

  #drawSmall(vitals, large) {
    const rank = (vital) => (SMALL.indexOf(vital.parameter) + SMALL.length + 1) % (SMALL.length + 1);
    // Another feed's word on a number that is shown already is in the trend and in the record, not here.
    const others = vitals
      .filter((vital) => !large.includes(vital))
      .filter((vital) => vital === choose(vitals, [vital.parameter]))
      .filter((vital) => !large.some((other) => other?.parameter === vital.parameter))
      .sort((a, b) => rank(a) - rank(b))
      .slice(0, MOST_SMALL);
    keep(
      this.#small,
      others,
      (vital) => `${vital.parameter} ${vital.feed}`,
      () =>
        element(
          "article",
          { className: "small tile" },
          element("h2", {}, element("span", { className: "name" })),
          element("div", { className: "number" }),
          element("div", { className: "why" }),
        ),
      (node, vital) => {
        mark(node, "parameter", vital.parameter);
        setText(node.querySelector(".name"), words.parameter(vital.parameter));
        this.#number(node, shown(vital), vital.validity);
        setText(node.querySelector(".why"), this.#why(vital) || words.unit(vital.unit));
      },
    );
    show(this.#small, others.length > 0);
  }

  #markAlarms(alarms) {
    const worst = { spo2: null, rate: null, pressure: null };
    for (const alarm of alarms) {
      const place = TILE_OF[alarm.parameter];
      if (!place || alarm.state === "returned") continue;
      if (!worst[place] || ORDER[alarm.priority] > ORDER[worst[place].priority]) worst[place] = alarm;
    }
    for (const node of [this.#spo2, this.#rate, this.#pressure]) {
      const alarm = worst[node.dataset.vital];
      mark(node, "alarm", alarm?.priority ?? "none");
      mark(node, "state", alarm?.state ?? "none");
    }
  }
}
