// The session so far: SpO₂ above, pressures and rate below, with the start and the end of the infusion
// as vertical lines and the baseline ± 20 % of the systolic pressure as a band.

import { show } from "./element.js";
import { clockShort, say } from "./words.js";

const REFRESH_MS = 15000;
const POINTS = 400;
const SPO2 = { low: 80, high: 100, lines: [80, 90, 100] };
const BELOW = { low: 40, high: 200, lines: [60, 100, 140, 180] };
/** A gap longer than this share of the time shown breaks a line: no number is no line. */
const GAP = 0.02;

async function ask(parameter, from, to) {
  const query = new URLSearchParams({ parameter, from, to, points: POINTS });
  const answer = await fetch(`/api/v1/history?${query}`, { cache: "no-store", signal: AbortSignal.timeout(5000) });
  if (!answer.ok) throw new Error(`history ${answer.status}`);
  return (await answer.json()).points;
}

export class Trend {
  #root = document.querySelector("#trend");
  #canvas = this.#root.querySelector("canvas");
  #board = null;
  #series = null;
  #asked = -Infinity;
  #session = null;
  #colours = null;

  constructor() {
    new ResizeObserver(() => this.#draw()).observe(this.#root);
  }

  /** Takes the board; asks the record now and then. */
  draw(board) {
    this.#board = board;
    show(this.#root, board.session !== null);
    if (!board.session) {
      this.#series = null;
      this.#session = null;
      return;
    }
    if (this.#session !== board.session.id) this.#asked = -Infinity;
    this.#session = board.session.id;
    if (performance.now() - this.#asked > REFRESH_MS) {
      this.#asked = performance.now();
      this.#refresh(board);
    }
  }

  async #refresh({ session, now, vitals }) {
    const has = (name) => vitals.some((vital) => vital.parameter === name);
    const rate = vitals.find(({ parameter, judged }) => judged && ["hr", "pr"].includes(parameter))?.parameter ?? "pr";
    const site = has("art-sys") && !has("nibp-sys") ? "art" : "nibp";
    const names = { spo2: "spo2", rate, sys: `${site}-sys`, dia: `${site}-dia` };
    try {
      const series = await Promise.all(
        Object.values(names).map((name) => ask(name, session.opened_at, now)),
      );
      this.#series = Object.fromEntries(Object.keys(names).map((key, place) => [key, series[place]]));
    } catch {
      // The record cannot be read now: an old picture with a wrong "now" would be worse than none.
      this.#series = null;
    }
    this.#draw();
  }

  #draw() {
    const { clientWidth: width, clientHeight: height } = this.#root;
    if (!this.#board?.session || width === 0) return;
    const scale = window.devicePixelRatio;
    this.#canvas.width = Math.round(width * scale);
    this.#canvas.height = Math.round(height * scale);
    const pen = this.#canvas.getContext("2d");
    pen.scale(scale, scale);
    const style = getComputedStyle(document.documentElement);
    this.#colours ??= Object.fromEntries(
      ["spo2", "rate", "pressure", "dim", "line", "band", "mark"].map((name) => [name, style.getPropertyValue(`--${name}`)]),
    );
    const rem = parseFloat(style.fontSize);
    pen.font = `${1.25 * rem}px sans-serif`;
    const frame = { left: 3.2 * rem, right: width - 0.8 * rem, rem };
    const start = Date.parse(this.#board.session.opened_at);
    const end = Math.max(Date.parse(this.#board.now), start + 60000);
    const x = (t) => frame.left + ((t - start) / (end - start)) * (frame.right - frame.left);
    const split = height * 0.34;
    const pane = (top, bottom, { low, high }) => (value) =>
      bottom - ((Math.min(high, Math.max(low, value)) - low) / (high - low)) * (bottom - top);
    const upper = pane(1.8 * rem, split - 0.6 * rem, SPO2);
    const lower = pane(split + 0.8 * rem, height - 2 * rem, BELOW);
    this.#grid(pen, frame, upper, SPO2.lines);
    this.#grid(pen, frame, lower, BELOW.lines);
    this.#band(pen, frame, lower);
    this.#marks(pen, x, height, rem);
    if (this.#series) {
      const gap = GAP * (end - start) + 15000;
      this.#line(pen, this.#series.spo2, x, upper, this.#colours.spo2, gap);
      this.#line(pen, this.#series.rate, x, lower, this.#colours.rate, gap);
      this.#bars(pen, x, lower, rem);
    }
    this.#legend(pen, frame, start, end, height);
  }

  #grid(pen, { left, right, rem }, y, lines) {
    pen.strokeStyle = this.#colours.line;
    pen.fillStyle = this.#colours.dim;
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    pen.lineWidth = 1;
    let above = Infinity;
    for (const value of lines) {
      // In a low picture only the lines whose names have room.
      if (above - y(value) < 1.3 * rem) continue;
      above = y(value);
      pen.beginPath();
      pen.moveTo(left, Math.round(y(value)) + 0.5);
      pen.lineTo(right, Math.round(y(value)) + 0.5);
      pen.stroke();
      pen.fillText(value, left - 0.5 * rem, y(value));
    }
  }

  #band(pen, { left, right }, y) {
    const base = this.#board.session.baseline.find(({ parameter }) => parameter === "nibp-sys")?.value;
    if (base == null) return;
    pen.fillStyle = this.#colours.band;
    const top = y(base * 1.2);
    pen.fillRect(left, top, right - left, y(base * 0.8) - top);
  }

  #marks(pen, x, height, rem) {
    const { infusion_started_at: started, infusion_ended_at: ended } = this.#board.session;
    pen.strokeStyle = pen.fillStyle = this.#colours.mark;
    pen.textBaseline = "top";
    pen.textAlign = "left";
    pen.lineWidth = 2;
    for (const [stamp, name] of [[started, say("trend.start")], [ended, say("trend.end")]]) {
      if (!stamp) continue;
      const at = Math.round(x(Date.parse(stamp)));
      pen.beginPath();
      pen.moveTo(at, 0);
      pen.lineTo(at, height - 1.8 * rem);
      pen.stroke();
      pen.fillText(name, at + 0.4 * rem, 0.1 * rem);
    }
  }

  #line(pen, points, x, y, colour, gap) {
    pen.strokeStyle = colour;
    pen.lineWidth = 2;
    pen.lineJoin = "round";
    pen.beginPath();
    let last = null;
    for (const { t, value, min, max } of points) {
      if (value === null) {
        last = null;
        continue;
      }
      // Lowest and highest of a thinned stretch stay visible.
      if (last !== null && t - last <= gap) pen.lineTo(x(t), y(value));
      else pen.moveTo(x(t), y(value));
      if (min != null && max != null && min !== max) {
        pen.lineTo(x(t), y(min));
        pen.lineTo(x(t), y(max));
        pen.lineTo(x(t), y(value));
      }
      last = t;
    }
    pen.stroke();
  }

  #bars(pen, x, y, rem) {
    const lows = new Map(this.#series.dia.map(({ t, value }) => [t, value]));
    pen.strokeStyle = this.#colours.pressure;
    pen.lineWidth = Math.max(2, 0.25 * rem);
    for (const { t, value } of this.#series.sys) {
      const low = lows.get(t);
      if (value === null || low == null) continue;
      pen.beginPath();
      pen.moveTo(x(t), y(value));
      pen.lineTo(x(t), y(low));
      pen.stroke();
    }
  }

  #legend(pen, { left, right, rem }, start, end, height) {
    pen.fillStyle = this.#colours.dim;
    pen.textBaseline = "bottom";
    pen.textAlign = "left";
    pen.fillText(clockShort(start), left, height - 0.2 * rem);
    pen.textAlign = "right";
    pen.fillText(clockShort(end), right, height - 0.2 * rem);
    pen.textAlign = "center";
    const note = say(this.#series ? "trend.legend" : "trend.none");
    pen.fillText(note, (left + right) / 2, height - 0.2 * rem);
  }
}
