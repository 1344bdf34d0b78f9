// The page's own sound, heard only when the daemon is lost: five short tones, then silence, again and
// again. The alarms themselves are sounded by the daemon, never by the page.

const PERIOD_MS = 4000;
const STARTS = [0, 0.25, 0.5, 1.0, 1.25];
const LENGTH = 0.15;
const PITCHES = [523, 523, 392, 523, 392];

let context = null;
let timer = null;

function burst() {
  context ??= new AudioContext();
  if (context.state === "suspended") context.resume();
  STARTS.forEach((start, place) => {
    const at = context.currentTime + 0.05 + start;
    const tone = context.createOscillator();
    const loudness = context.createGain();
    tone.type = "triangle";
    tone.frequency.value = PITCHES[place];
    loudness.gain.setValueAtTime(0, at);
    loudness.gain.linearRampToValueAtTime(0.8, at + 0.02);
    loudness.gain.setValueAtTime(0.8, at + LENGTH - 0.03);
    loudness.gain.linearRampToValueAtTime(0, at + LENGTH);
    tone.connect(loudness).connect(context.destination);
    tone.start(at);
    tone.stop(at + LENGTH);
  });
}

/** Starts or stops the sound. */
export function beep(on) {
  if (on && timer === null) {
    burst();
    timer = setInterval(burst, PERIOD_MS);
  } else if (!on && timer !== null) {
    clearInterval(timer);
    timer = null;
  }
}
