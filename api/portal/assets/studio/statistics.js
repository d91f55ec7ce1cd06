/** A course's audience: the funnel, and for each lecture how many are still watching. */
import { get } from '../api.js';
import { fill, h } from '../dom.js';
import { clock, count, list } from '../format.js';
import { t } from '../i18n.js';

const WIDTH = 400; // units of the plot
const HEIGHT = 60;
const STEPS = /** @type {const} */ (['enrolled', 'started', 'halfway', 'completed', 'certified']);

/** Fills itself once the numbers are there; says why when they are not. @param {string} slug @param {AbortSignal} signal */
export function statistics(slug, signal) {
  const body = h('div', { class: 'statistics' });
  const root = h('section', { class: 'panel', id: 'statistics' }, h('h2', { t: 'statistics.title' }), body);
  get(`/v1/courses/${encodeURIComponent(slug)}/statistics`, {}, signal).then(
    (found) => show(body, found),
    (error) => signal.aborted || fill(body, h('p', { class: 'problem', role: 'alert' }, error.message)),
  );
  return root;
}

/** @param {HTMLElement} root @param {import('../types.js').Statistics} found */
function show(root, found) {
  if (!found.learners && !found.lectures.some((lecture) => lecture.started)) {
    fill(root, h('p', { class: 'muted', t: 'statistics.none' }));
    return;
  }
  const most = Math.max(1, found.funnel.enrolled);
  fill(root,
    h('dl', { class: 'funnel' }, STEPS.map((step) => {
      const bar = h('span', { class: 'bar', 'aria-hidden': 'true' }, h('span'));
      bar.style.setProperty('--done', String(found.funnel[step] / most));
      return h('div', {}, h('dt', { t: `statistics.${step}` }), h('dd', { class: 'numbers' }, count(found.funnel[step]), bar));
    })),
    h('p', { class: 'small muted' }, t('statistics.active', { n: count(found.active) })),
    found.lectures.filter((lecture) => lecture.started).map(curve));
}

/** @param {import('../types.js').LectureStatistics} lecture */
function curve(lecture) {
  const times = lecture.leaving.map((moment) => clock(moment.start));
  const words = t('statistics.curve', { title: lecture.title, started: count(lecture.started), completed: count(lecture.completed) });
  return h('figure', { class: 'retention' },
    h('figcaption', { class: 'small' }, words, times.length ? h('span', { class: 'muted' }, ` ${t('statistics.leaving', { times: list(times) })}`) : null),
    plot(lecture, words));
}

/** @param {import('../types.js').LectureStatistics} lecture @param {string} words */
function plot({ viewers, leaving, duration, started }, words) {
  const svg = draw('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': words });
  const step = WIDTH / viewers.length;
  const most = Math.max(1, started, ...viewers);
  const height = (/** @type {number} */ number) => (HEIGHT - 2) * (1 - number / most) + 1;
  const line = viewers.map((number, index) => `${(index * step).toFixed(1)},${height(number).toFixed(1)} ${((index + 1) * step).toFixed(1)},${height(number).toFixed(1)}`).join(' ');
  svg.append(
    draw('polygon', { class: 'retention-area', points: `0,${HEIGHT} ${line} ${WIDTH},${HEIGHT}` }),
    draw('polyline', { class: 'retention-line', points: line }));
  for (const moment of leaving) {
    const x = ((moment.start + moment.end) / 2 / duration) * WIDTH;
    svg.append(draw('line', { class: 'retention-mark', x1: x, x2: x, y1: 0, y2: HEIGHT }));
  }
  return svg;
}

/** @param {string} tag @param {Record<string, string | number>} attributes */
function draw(tag, attributes) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}
