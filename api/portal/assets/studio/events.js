/**
 * Follows a recording: server-sent events read with fetch (an EventSource sends no token), resumed by
 * `Last-Event-ID`. Where the stream breaks, one ordinary read bridges the pause before the next attempt.
 */
import { ApiError, get } from '../api.js';
import { reading } from '../i18n.js';
import { askAgain, renewal, token } from '../session.js';

const ENDED = ['succeeded', 'failed', 'cancelled'];
const SILENCE = 40_000; // milliseconds; a heartbeat comes every 15 seconds
const LONGEST_PAUSE = 15_000; // milliseconds

/** @param {import('../types.js').Recording | null} recording */
export const ended = (recording) => Boolean(recording && ENDED.includes(recording.state));

/**
 * Calls `onChange` with the newest state until the recording has ended or `signal` aborts.
 * @param {string} lecture
 * @param {(recording: import('../types.js').Recording | null) => void} onChange null: there is no recording
 * @param {AbortSignal} signal
 */
export async function follow(lecture, onChange, signal) {
  let last = '';
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      /** @type {import('../types.js').Recording} */
      const now = await get(`/v1/lectures/${lecture}/recording`, {}, signal);
      if (signal.aborted) return;
      onChange(now);
      if (ended(now)) return;
      for await (const event of events(lecture, last, signal)) {
        last = event.id || last;
        failures = 0;
        const recording = JSON.parse(event.data);
        onChange(recording);
        if (ended(recording)) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError && error.status === 404) {
        onChange(null);
        return;
      }
      if (error instanceof ApiError && error.status === 401) {
        askAgain();
        if (!(await renewal(error.bearer, signal).catch(() => false))) throw error;
        continue;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, Math.min(LONGEST_PAUSE, 1000 * 2 ** failures)));
  }
}

/**
 * @param {string} lecture @param {string} last id of the last event that was seen @param {AbortSignal} signal
 * @returns {AsyncGenerator<{id: string, data: string}>}
 */
async function* events(lecture, last, signal) {
  const silence = new AbortController();
  let timer = 0;
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), SILENCE);
  };
  alive();
  const bearer = token();
  try {
    const answer = await fetch(`/v1/lectures/${lecture}/recording/events?lang=${reading()}`, {
      headers: { Accept: 'text/event-stream', Authorization: `Bearer ${bearer}`, ...(last ? { 'Last-Event-ID': last } : {}) },
      signal: AbortSignal.any([signal, silence.signal]),
    });
    if (!answer.ok || !answer.body) throw new ApiError(answer.status, null, bearer);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      alive();
      text += value;
      const blocks = text.split(/\r?\n\r?\n/);
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const event = parse(block);
        if (event.data) yield event;
      }
    }
  } finally {
    clearTimeout(timer);
  }
}

/** One event of the text/event-stream format; comments (heartbeats) have no data. @param {string} block */
function parse(block) {
  const event = { id: '', data: '' };
  for (const line of block.split(/\r?\n/)) {
    const [, field, value] = line.match(/^(\w+): ?(.*)$/) ?? [];
    if (field === 'data') event.data += (event.data ? '\n' : '') + value;
    else if (field === 'id') event.id = value;
  }
  return event;
}
