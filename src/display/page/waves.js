// Waves as they arrive: one strip per wave, swept from left to right with a gap before the pen, as
// monitors do. The layout of a frame is documented at the daemon's stream.

import { element, show } from "./element.js";

const MOST_STRIPS = 3;
/** Seconds across a strip: about 25 mm/s on a screen 150 mm wide, slower for breathing. */
const SWEEP_S = { resp: 24, co2: 24, default: 6 };
/** Seconds kept in hand, so that chunks that come once a second flow evenly. */
const DELAY_S = 1.2;
/** A strip without new samples for this long is removed. */
const SILENT_MS = 5000;
const GAP = 0.03;
const NO_SAMPLE = -2147483648;

const ORDER = ["ecg", "pleth", "art", "co2", "resp"];
const rank = (label) => {
  const place = ORDER.findIndex((start) => label.startsWith(start));
  return place < 0 ? ORDER.length : place;
};

/** Label, feed, rate and samples of a binary frame, or `null` for a layout we do not know. */
export function decode(buffer) {
  const view = new DataView(buffer);
  const decoder = new TextDecoder();
  if (view.byteLength < 4 || view.getUint8(0) !== 1) return null;
  let at = 1;
  const text = () => {
    const length = view.getUint8(at);
    const value = decoder.decode(new Uint8Array(buffer, at + 1, length));
    at += 1 + length;
    return value;
  };
  const label = text();
  const feed = text();
  text();
  const rate = view.getUint32(at, true);
  at += 4 + 8 + 1 + 8;
  const samples = new Array((view.byteLength - at) >> 2);
  for (let place = 0; place < samples.length; place += 1) {
    const sample = view.getInt32(at + 4 * place, true);
    samples[place] = sample === NO_SAMPLE ? null : sample;
  }
  return { label, feed, rate, samples };
}

class Strip {
  constructor(label, rate) {
    this.label = label;
    this.rate = rate;
    this.waiting = [];
    this.heard = performance.now();
    this.credit = 0;
    this.started = false;
    this.low = Infinity;
    this.high = -Infinity;
    this.length = Math.max(2, Math.round(rate * (SWEEP_S[label] ?? SWEEP_S.default)));
    this.drawn = new Array(this.length).fill(null);
    this.pen = 0;
    this.canvas = element("canvas");
    this.node = element("div", { className: "strip", dataset: { wave: label.split("-")[0] } },
      element("span", { textContent: label }), this.canvas);
  }

  take(samples) {
    this.heard = performance.now();
    this.waiting.push(...samples);
    // After a stall the newest counts: never show waves later than the numbers by seconds.
    const most = Math.round(this.rate * 3 * DELAY_S);
    if (this.waiting.length > most) this.waiting.splice(0, this.waiting.length - Math.round(this.rate * DELAY_S));
    if (this.waiting.length >= this.rate * DELAY_S) this.started = true;
  }

  advance(seconds) {
    if (!this.started) return;
    this.credit += seconds * this.rate;
    const count = Math.min(Math.floor(this.credit), this.waiting.length);
    this.credit = this.waiting.length === 0 ? 0 : this.credit - count;
    for (const sample of this.waiting.splice(0, count)) {
      this.drawn[this.pen] = sample;
      this.pen = (this.pen + 1) % this.length;
      if (this.pen === 0) this.#rescale();
      if (sample !== null) {
        this.low = Math.min(this.low, sample);
        this.high = Math.max(this.high, sample);
      }
    }
  }

  #rescale() {
    const present = this.drawn.filter((sample) => sample !== null);
    this.low = Math.min(...present);
    this.high = Math.max(...present);
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const scale = window.devicePixelRatio;
    if (this.canvas.width !== Math.round(width * scale) || this.canvas.height !== Math.round(height * scale)) {
      this.canvas.width = Math.round(width * scale);
      this.canvas.height = Math.round(height * scale);
    }
    const pen = this.canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.strokeStyle = getComputedStyle(this.node).color;
    pen.lineWidth = 2;
    pen.lineJoin = "round";
    const span = this.high - this.low || 1;
    const y = (sample) => height * 0.92 - ((sample - this.low) / span) * height * 0.84;
    const gap = Math.round(this.length * GAP);
    pen.beginPath();
    let connected = false;
    for (let place = 0; place < this.length; place += 1) {
      const ahead = (place - this.pen + this.length) % this.length;
      const sample = ahead < gap ? null : this.drawn[place];
      if (sample === null) {
        connected = false;
      } else {
        const x = (place / (this.length - 1)) * width;
        if (connected) pen.lineTo(x, y(sample));
        else pen.moveTo(x, y(sample));
        connected = true;
      }
    }
    pen.stroke();
  }
}

export class Waves {
  #root = document.querySelector("#waves");
  #strips = new Map();
  #last = 0;
  #running = false;

  /** Takes one binary frame. */
  take(buffer) {
    const frame = decode(buffer);
    if (!frame || frame.rate === 0) return;
    const key = `${frame.label} ${frame.feed}`;
    let strip = this.#strips.get(key);
    if (strip && strip.rate !== frame.rate) {
      this.#remove(key);
      strip = undefined;
    }
    if (!strip) {
      strip = new Strip(frame.label, frame.rate);
      this.#strips.set(key, strip);
      this.#arrange();
    }
    strip.take(frame.samples);
    if (!this.#running) {
      this.#running = true;
      this.#last = performance.now();
      requestAnimationFrame((now) => this.#turn(now));
    }
  }

  /** Forgets everything: there is no data. */
  clear() {
    for (const key of [...this.#strips.keys()]) this.#remove(key);
  }

  #remove(key) {
    this.#strips.get(key)?.node.remove();
    this.#strips.delete(key);
    this.#arrange();
  }

  #arrange() {
    const shown = [...this.#strips.values()]
      .sort((a, b) => rank(a.label) - rank(b.label))
      .slice(0, MOST_STRIPS);
    this.#root.replaceChildren(...shown.map(({ node }) => node));
    show(this.#root, shown.length > 0);
  }

  #turn(now) {
    const seconds = Math.min(0.25, Math.max(0, (now - this.#last) / 1000));
    this.#last = now;
    for (const [key, strip] of this.#strips) {
      if (performance.now() - strip.heard > SILENT_MS) {
        this.#remove(key);
        continue;
      }
      strip.advance(seconds);
      if (strip.node.isConnected) strip.draw();
    }
    this.#running = this.#strips.size > 0;
    if (this.#running) requestAnimationFrame((next) => this.#turn(next));
  }
}
