// The words on the screen: names, causes and times. Short, the same everywhere, and never an abbreviation
// that a nurse would have to look up.

/** Why there is no number, or why it is doubtful. */
const CAUSES = {
  "probe-off": "sensor off",
  searching: "searching for pulse",
  artefact: "movement",
  "low-perfusion": "low perfusion",
  "cuff-fault": "cuff failed",
  measuring: "measuring",
  "not-available": "not available",
  "out-of-range": "not plausible",
  "unknown-unit": "unknown unit",
  "code-mismatch": "wrong code",
  zero: "zero is no value",
  "sensor-missing": "no sensor",
  "sensor-fault": "sensor fault",
  starting: "monitor starting",
  calibrating: "calibrating",
  "low-quality": "poor signal",
  demo: "monitor in demo mode",
  test: "monitor in test mode",
  setting: "a setting",
  withdrawn: "withdrawn",
  old: "no new value",
  "device-invalid": "marked invalid",
};

export const cause = (name) => CAUSES[name] ?? name ?? "no value";

const PARAMETERS = {
  spo2: "SpO₂",
  hr: "Heart rate",
  pr: "Pulse rate",
  "nibp-pr": "Cuff pulse",
  "art-pr": "Arterial pulse",
  "nibp-sys": "Cuff sys",
  "nibp-dia": "Cuff dia",
  "nibp-mean": "Cuff mean",
  "art-sys": "Art. sys",
  "art-dia": "Art. dia",
  "art-mean": "Art. mean",
  rr: "Resp. rate",
  etco2: "etCO₂",
  temp: "Temp",
  pi: "Perf. index",
};

export const parameter = (name) => PARAMETERS[name] ?? name;

const UNITS = { degC: "°C" };

export const unit = (name) => UNITS[name] ?? name ?? "";

export const PHASES = {
  standby: "STANDBY",
  baseline: "BASELINE",
  infusion: "INFUSION",
  paused: "PAUSED",
  recovery: "RECOVERY",
  observation: "OBSERVATION",
  discharged: "DISCHARGED",
};

/** Priorities by text, beside colour and shape (high first). */
export const PREFIX = { high: "***", medium: "**", low: "*" };

const two = (number) => String(number).padStart(2, "0");

/** A stamp of the daemon as local hh:mm:ss. */
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
