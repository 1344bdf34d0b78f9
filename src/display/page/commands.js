// Commands to the daemon. Every command has its own id, so repeating it after a lost answer is safe.

import { say } from "./words.js";

const PATIENCE_MS = 6000;

function freshId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function post(token, body) {
  const response = await fetch("/api/v1/commands", {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body,
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  return { status: response.status, answer: await response.json() };
}

/** Sends one command; the answer is `{done, status, error, hint, left}` and never an exception. */
export async function send(token, command) {
  const body = JSON.stringify({ id: freshId(), ...command });
  for (const attempt of [1, 2]) {
    try {
      const { status, answer } = await post(token, body);
      return { done: status === 200, status, ...answer };
    } catch {
      if (attempt === 2) break;
    }
  }
  return {
    done: false,
    status: 0,
    error: say("message.no-answer"),
    hint: say("message.no-answer-hint"),
  };
}
