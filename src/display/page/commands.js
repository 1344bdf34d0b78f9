// Commands to the daemon. Every command has its own id, so repeating it after a lost answer is safe.

import { staff } from "./staff.js";
import { say } from "./words.js";

const PATIENCE_MS = 6000;

function freshId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function post(token, path, body) {
  const response = await fetch(`/api/v1/${path}`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body,
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  return { status: response.status, answer: await response.json() };
}

/** Posts an object, `times` at most; the answer is `{done, status, …}` and never an exception. */
async function ask(token, path, object, times) {
  const body = JSON.stringify(object);
  for (let left = times; left > 0; left -= 1) {
    try {
      const { status, answer } = await post(token, path, body);
      return { done: status === 200, status, ...answer };
    } catch {
      // Once more, or given up below.
    }
  }
  return { done: false, status: 0, error: say("message.no-answer"), hint: say("message.no-answer-hint") };
}

/** The token of this page, as its address holds it. */
const pageToken = () => new URLSearchParams(location.hash.slice(1)).get("token");

/**
 * Sends one command as whoever is logged in; the answer is `{done, status, error, hint, left}`. A log-in
 * that the daemon does not know any more is forgotten.
 */
export async function send(token, command) {
  const answer = await ask(token, "commands", staff.sign({ id: freshId(), ...command }), 2);
  if (answer.status === 403) staff.forget();
  return answer;
}

/** Logs somebody in; a repeated attempt would count twice, so it is made once only. */
export async function logIn(name, pin) {
  const answer = await ask(pageToken(), "commands", { command: "log-in", name, pin }, 1);
  if (answer.done) staff.begin(answer);
  return answer;
}

/** Plays one burst of a priority through the daemon's own sound. */
export const playSound = (sound) => ask(pageToken(), "self-test", { sound }, 1);
