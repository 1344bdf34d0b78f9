// The record as the page asks for it: trends, and what has happened in the session. Nothing here is kept
// longer than the session, and a question that fails leaves what was known, which the next one renews.

const PATIENCE_MS = 5000;

async function ask(path, query) {
  const answer = await fetch(`/api/v1/${path}?${new URLSearchParams(query)}`, {
    cache: "no-store",
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

/** The parameters that a trend of this board follows, by their part in it. */
export function followed({ vitals }) {
  const has = (name) => vitals.some(({ parameter }) => parameter === name);
  const judged = vitals.find((vital) => vital.judged && ["hr", "pr"].includes(vital.parameter));
  const site = has("art-sys") && !has("nibp-sys") ? "art" : "nibp";
  return {
    spo2: "spo2",
    rate: judged?.parameter ?? "pr",
    sys: `${site}-sys`,
    dia: `${site}-dia`,
    mean: `${site}-mean`,
    rr: "rr",
    ...(has("etco2") ? { etco2: "etco2" } : {}),
  };
}

/** Trends by part, from `from` to `to` (Unix ms) in at most `points` pieces; fails when one cannot be had. */
export async function series(parts, from, to, points) {
  const times = { from: new Date(from).toISOString(), to: new Date(to).toISOString(), points };
  const answers = await Promise.all(
    Object.values(parts).map((parameter) => ask("history", { parameter, ...times })),
  );
  return Object.fromEntries(Object.keys(parts).map((part, place) => [part, answers[place].points]));
}

/** Events after which other limits may hold. */
const MOVES_LIMITS = ["phase", "baseline", "set-limit", "restore-limits", "set-baseline"];
/** Phases that begin or end the flow of the drug. */
const FLOW = { infusion: "start", paused: "pause", recovery: "stop" };
const NOTED = ["drug", "note", "score", "rate-change"];

/** Alarms and events of one session, in the order in which they happened. */
export class Happenings {
  #session = null;
  alarms = [];
  events = [];

  /** Asks for what is new. */
  async refresh(session) {
    if (this.#session !== session) {
      this.#session = session;
      this.alarms = [];
      this.events = [];
    }
    const after = this.events.at(-1)?.seq ?? 0;
    const [{ alarms }, { events }] = await Promise.all([ask("alarms", { session }), ask("events", { session, after })]);
    if (this.#session !== session) return;
    this.alarms = alarms;
    this.events.push(...events.filter(({ seq }) => seq > after));
  }

  /** Since when (Unix ms) the limits of now have held. */
  get limitsSince() {
    return this.events.findLast(({ what }) => MOVES_LIMITS.includes(what))?.t ?? null;
  }

  /** Starts, pauses and stops of the infusion: `{t, kind}`. */
  get flow() {
    return this.events
      .filter(({ what, detail }) => what === "phase" && FLOW[detail.phase])
      .map(({ t, detail }) => ({ t, kind: detail.from === "paused" && detail.phase === "infusion" ? "resume" : FLOW[detail.phase] }));
  }

  /** Drugs, notes, scores and rates: `{t, kind, text}`. */
  get notes() {
    return this.events
      .filter(({ what }) => NOTED.includes(what))
      .map(({ t, what, detail }) => ({ t, kind: what, text: text(what, detail) }));
  }
}

function text(what, detail) {
  switch (what) {
    case "drug":
      return [detail.name, detail.dose, detail.unit].filter((part) => part != null).join(" ");
    case "score":
      return `${String(detail.scale).toUpperCase()} ${detail.value}`;
    case "rate-change":
      return [["ml-h", "mL/h"], ["mg-h", "mg/h"]]
        .filter(([name]) => detail[name] != null)
        .map(([name, unit]) => `${detail[name]} ${unit}`)
        .join(", ");
    default:
      return String(detail.text ?? "");
  }
}

/** Whether the daemon can print a session: asked without naming one, so that it need not. */
export async function canPrint() {
  try {
    const answer = await fetch("/api/v1/report", { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    return answer.status !== 404;
  } catch {
    return false;
  }
}
