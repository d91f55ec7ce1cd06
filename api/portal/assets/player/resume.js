/** Where this browser stopped watching each lecture. Kept locally, the newest 100 lectures. */
import { recall, remember } from '../memory.js';

const KEY = 'academy.watched';
const MOST = 100;

/** @typedef {{position: number, duration: number, at: number}} Mark seconds, seconds, milliseconds since 1970 */

/** @returns {Record<string, Mark>} */
const marks = () => {
  const kept = recall(KEY);
  return kept && typeof kept === 'object' ? kept : {};
};

/** @param {string} lecture @param {number} position @param {number} duration */
export function keep(lecture, position, duration) {
  if (!(duration > 0)) return;
  store({ ...marks(), [lecture]: { position, duration, at: Date.now() } });
}

/** What the address asks for, `?t=61.5` or `#t=61.5` (Media Fragments URI 1.0 §4.2.1, seconds); null if nothing. */
export function askedStart() {
  const text = new URLSearchParams(location.search).get('t') ?? new URLSearchParams(location.hash.slice(1)).get('t');
  const seconds = text ? Number(text) : NaN;
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
}

/**
 * Takes over what the account knows, where it is newer than what this browser does.
 * @param {{lecture_id: string, position: number, duration: number | null, updated_at: string}[]} items
 */
export function adopt(items) {
  const known = marks();
  for (const { lecture_id: lecture, position, duration, updated_at: updated } of items) {
    const at = Date.parse(updated);
    if (duration && at > (known[lecture]?.at ?? 0)) known[lecture] = { position, duration, at };
  }
  store(known);
}

/** @param {Record<string, Mark>} known */
function store(known) {
  const newest = Object.entries(known).sort(([, a], [, b]) => b.at - a.at);
  remember(KEY, Object.fromEntries(newest.slice(0, MOST)));
}

/** Where to resume, in seconds: 0 for what was hardly begun or was watched to its end. @param {string} lecture */
export function resumeAt(lecture) {
  const mark = marks()[lecture];
  if (!mark || mark.position < 5) return 0;
  const left = mark.duration - mark.position;
  return left < Math.max(5, mark.duration * 0.02) ? 0 : mark.position;
}

/** @param {string} lecture @returns {number} 0..1 */
export function watchedShare(lecture) {
  const mark = marks()[lecture];
  return mark ? Math.min(1, mark.position / mark.duration) : 0;
}

/** The one of these lectures that was watched last. @param {string[]} lectures */
export function latestOf(lectures) {
  const kept = marks();
  return lectures.filter((id) => kept[id]).sort((a, b) => kept[b].at - kept[a].at)[0];
}
