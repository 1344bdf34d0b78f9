// Words, numbers and times on the screen. All texts stand in one table per language, with the same
// keys; no other file of the page says anything of its own. The daemon's own lines (alarms, tasks,
// refusals) are English; `told` says them in the nurse's language, and as they came when it cannot.

import english from "./words-en.js";
import spanish from "./words-es.js";

const TABLES = { en: english, es: spanish };
/** Where the choice made on this screen is kept. */
const CHOICE = "infusewatch-language";

/** The languages there are, each by its own name. */
export const LANGUAGES = Object.entries(TABLES).map(([tag, table]) => ({ tag, name: table["language.name"] }));

let tag = "en";
let table = english;
let numbers = null;
let point = ".";

const base = (wish) => String(wish).toLowerCase().split(/[-_]/)[0];
const isKnown = (wish) => Boolean(wish) && Object.hasOwn(TABLES, base(wish));

/** A tag that the browser's own formats accept: a misspelt region is no reason for no words. */
function canonical(wish) {
  try {
    return Intl.getCanonicalLocales(wish.replace("_", "-"))[0];
  } catch {
    return base(wish);
  }
}

function use(wish) {
  tag = canonical(wish);
  table = TABLES[base(wish)];
  numbers = new Intl.NumberFormat(tag, { useGrouping: false, maximumFractionDigits: 20 });
  point = numbers.formatToParts(1.5).find(({ type }) => type === "decimal").value;
  sentences = null;
  document.documentElement.lang = tag;
  retell(document);
}

/** The language now: `en` or `es`. */
export const language = () => base(tag);

/** The text for a key; `{name}` in it becomes `values.name`, and numbers get the language's decimals. */
export function say(key, values = {}) {
  const text = table[key] ?? english[key] ?? key;
  return text.replace(/\{([a-z]+)\}/g, (whole, name) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? number(value) : String(value);
  });
}

/** Properties of an element whose text is this key's, also after the language has changed. */
export const keyed = (key, { dataset = {}, ...others } = {}) => ({
  ...others,
  textContent: say(key),
  dataset: { ...dataset, say: key },
});

/** The same for an element that has its text as a label only. */
export const labelled = (key, { dataset = {}, ...others } = {}) => ({
  ...others,
  ariaLabel: say(key),
  dataset: { ...dataset, sayLabel: key },
});

/** Says every keyed element under `root` again. */
function retell(root) {
  for (const node of root.querySelectorAll("[data-say]")) {
    const text = say(node.dataset.say);
    if (node.textContent !== text) node.textContent = text;
  }
  for (const node of root.querySelectorAll("[data-say-label]")) node.ariaLabel = say(node.dataset.sayLabel);
}

function remembered() {
  try {
    return localStorage.getItem(CHOICE);
  } catch {
    return null;
  }
}

/** Changes the language by choice, on this screen and for the next time. */
export function speak(wish) {
  if (!isKnown(wish)) return;
  try {
    localStorage.setItem(CHOICE, wish);
  } catch {
    // A browser that keeps nothing speaks it until the page is loaded again.
  }
  change(wish);
}

/** Takes the language that the clinic has set, unless somebody has chosen one here. */
export function prefer(wish) {
  if (isKnown(wish) && !chosen() && canonical(wish) !== tag) change(wish);
}

function change(wish) {
  use(wish);
  document.dispatchEvent(new Event("language"));
}

const asked = () => new URLSearchParams(location.search).get("lang");
const chosen = () => [asked(), remembered()].find(isKnown);

/** A number with the language's decimal sign; no number is no text. */
export function number(value) {
  return typeof value === "number" ? numbers.format(value) : String(value ?? "");
}

/** The decimal sign of the language. */
export const decimalPoint = () => point;

/** The number that somebody has typed, with either decimal sign; `NaN` when it is none. */
export function typed(text) {
  const plain = text.trim().replace(",", ".");
  return /^-?\d+(\.\d*)?$|^-?\.\d+$/.test(plain) ? Number(plain) : NaN;
}

const known = (prefix, name) => {
  const key = `${prefix}.${name}`;
  return Object.hasOwn(english, key) ? say(key) : null;
};

/** Why there is no number, or why it is doubtful. */
export const cause = (name) => known("cause", name) ?? name ?? say("cause.none");

/** A parameter as the screen names it. */
export const parameter = (name) => known("parameter", name) ?? name;

/** A rule of the alarm catalogue as a limit's name. */
export const rule = (name) => known("rule", name) ?? name;

const UNITS = { degC: "°C" };

export const unit = (name) => UNITS[name] ?? name ?? "";

/** A phase in capital letters. */
export const phase = (name) => known("phase", name) ?? name;

/** Priorities by text, beside colour and shape (high first). */
export const PREFIX = { high: "***", medium: "**", low: "*" };

const two = (value) => String(value).padStart(2, "0");

/** A stamp of the daemon as local hh:mm:ss: 24 hours in every language, as charts are kept. */
export function clock(stamp) {
  const at = new Date(stamp);
  if (!stamp || Number.isNaN(at.getTime())) return "--:--:--";
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** The same without seconds. */
export const clockShort = (stamp) => clock(stamp).slice(0, 5);

/** A running time: h:mm:ss, or m:ss below an hour. */
export function running(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const rest = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest.replace(/^0/, "");
}

/** A countdown never shows less than what is left. */
export const countdown = (seconds) => running(Math.ceil(seconds));

/** How old something is. */
export function age(seconds) {
  if (seconds < 100) return `${Math.floor(seconds)} s`;
  if (seconds < 6000) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h`;
}

// The daemon's own lines. A line is translated only when it fits a known sentence from its first
// letter to its last, and everything that stood in its places is said again: nothing can get lost.

const literal = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** The names that the table knows under `prefix`, as a pattern. */
function names(prefix) {
  const all = Object.keys(english).filter((key) => key.startsWith(`${prefix}.`));
  return all.map((key) => literal(key.slice(prefix.length + 1))).sort((a, b) => b.length - a.length).join("|");
}

/** What may stand in a place of a sentence, and how it is said in the language. */
const PLACES = {
  n: { fits: "-?\\d+(?:\\.\\d+)?", tell: (text) => number(Number(text)) },
  k: { fits: "-?\\d+(?:\\.\\d+)?", tell: (text) => number(Number(text)) },
  m: { fits: "-?\\d+(?:\\.\\d+)?", tell: (text) => number(Number(text)) },
  unit: { fits: "(?: (?:%|/min|mmHg|degC))?", tell: (text) => text.replace("degC", "°C") },
  parameter: { fits: names("short"), tell: (text) => known("short", text) ?? text },
  cause: { fits: "[a-z ,]+?", tell: (text) => told(text) },
  numbers: { fits: ".+?", tell: (text) => text.split(", ").map((part) => told(part)).join(", ") },
  phases: { fits: "[a-z, ]+", tell: (text) => text.split(", ").map((part) => phase(part).toLowerCase()).join(", ") },
  rule: { fits: "[a-z0-9-]+?", tell: rule },
  tier: { fits: "low|medium|high", tell: (text) => known("tier", text) },
  command: { fits: names("command"), tell: (text) => say(`command.${text}`) },
  feed: { fits: ".+?", tell: (text) => text },
  text: { fits: ".+", tell: (text) => text },
};

/** The sentences of the table under `prefix`, those with the most words of their own first. */
function compiled(prefix, anchor) {
  return Object.entries(english)
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, text]) => {
      const parts = text.split(/\{([a-z]+)\}/);
      const places = parts.filter((_, place) => place % 2 === 1);
      const pattern = parts.map((part, place) => (place % 2 === 1 ? `(${PLACES[part].fits})` : literal(part))).join("");
      return { key, places, own: text.replace(/\{[a-z]+\}/g, "").length, pattern: new RegExp(`${anchor}${pattern}$`, "s") };
    })
    .sort((a, b) => b.own - a.own);
}

let sentences = null;
let endings = null;

function fill({ key, places }, found) {
  return say(key, Object.fromEntries(places.map((name, place) => [name, PLACES[name].tell(found[place + 1])])));
}

/** A line of the daemon in the language of the screen; as it came when it is not known. */
export function told(line) {
  if (line === null || line === undefined) return "";
  if (table === english) return line;
  sentences ??= compiled("told.", "^");
  endings ??= compiled("tail.", "");
  for (const sentence of sentences) {
    const found = sentence.pattern.exec(line);
    if (found) return fill(sentence, found);
  }
  // What limits and delays add at the end: taken off, said, and put back.
  for (const ending of endings) {
    const found = ending.pattern.exec(line);
    const head = found && line.slice(0, found.index);
    if (head && told(head) !== head) return told(head) + fill(ending, found);
  }
  return line;
}

use(chosen() ?? navigator.languages.find(isKnown) ?? "en");
