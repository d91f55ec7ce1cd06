/**
 * Tells the account what was watched: every 12 seconds of playing, and when playing stops, jumps or the page
 * goes away. `fetch` with `keepalive` outlives the page; `sendBeacon` could carry neither PUT nor the token.
 *
 * Each report repeats everything watched since the page was opened, so that a lost one is made good by the next.
 */
import { token } from '../session.js';

const EVERY = 12_000; // milliseconds
const MOST = 200; // ranges of one report

/** @typedef {[number, number]} Range seconds */

/** The union of ranges, sorted. @param {Range[]} ranges @returns {Range[]} */
export function union(ranges) {
  /** @type {Range[]} */
  const merged = [];
  for (const [start, end] of ranges.filter(([a, b]) => b > a).sort((a, b) => a[0] - b[0])) {
    const last = merged[merged.length - 1];
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else merged.push([start, end]);
  }
  return merged;
}

export class Heartbeat {
  /** @param {string} lecture id @param {HTMLVideoElement} video */
  constructor(lecture, video) {
    this.video = video;
    this.path = `/v1/me/progress/${encodeURIComponent(lecture)}`;
    this.session = [...crypto.getRandomValues(new Uint32Array(2))].map((part) => part.toString(36)).join('');
    this.sequence = 0;
    this.told = '';
    /** What was played from addresses used before: the browser forgets it when others are loaded. @type {Range[]} */
    this.before = [];
    /** @type {Range[]} */
    this.played = [];
    this.leaving = new AbortController();
    const { signal } = this.leaving;
    const tell = () => this.tell();
    for (const name of ['pause', 'seeked', 'ended']) video.addEventListener(name, tell, { signal });
    video.addEventListener('timeupdate', () => void (this.played = playedOf(video)), { signal });
    video.addEventListener('emptied', () => void (this.before = union([...this.before, ...this.played])), { signal });
    addEventListener('pagehide', tell, { signal });
    document.addEventListener('visibilitychange', () => document.hidden && tell(), { signal });
    this.timer = setInterval(() => video.paused || tell(), EVERY);
  }

  tell() {
    const bearer = token();
    const now = playedOf(this.video);
    const watched = union([...this.before, ...(now.length ? now : this.played)]).slice(-MOST);
    const position = round(this.video.currentTime);
    const news = JSON.stringify([position, watched]);
    if (!bearer || !watched.length || news === this.told) return;
    this.told = news;
    this.sequence += 1;
    fetch(this.path, {
      method: 'PUT',
      keepalive: true,
      headers: { Authorization: `Bearer ${bearer}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ position, watched, session: this.session, sequence: this.sequence }),
    }).then(
      (answer) => {
        if (answer.status === 401) this.stop();
        else if (!answer.ok) this.told = '';
      },
      () => void (this.told = ''), // the next one says it again
    );
  }

  stop() {
    clearInterval(this.timer);
    this.leaving.abort();
  }
}

/** What the browser itself counts as played, so neither skipped nor dragged over. @param {HTMLVideoElement} video */
function playedOf(video) {
  const { played } = video;
  return Array.from({ length: played.length }, (_, index) => /** @type {Range} */ ([round(played.start(index)), round(played.end(index))]));
}

/** @param {number} seconds */
const round = (seconds) => Math.round(seconds * 1000) / 1000;
