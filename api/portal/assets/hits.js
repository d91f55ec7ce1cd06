/** What a search found, as links. */
import { h } from './dom.js';
import { clock, extent } from './format.js';
import { t } from './i18n.js';
import { icon } from './icons.js';
import { marked, markedField } from './marks.js';

/** @typedef {import('./types.js').Hit} Hit */

const ICONS = { course: 'book', lecture: 'film', moment: 'clock' };

/** Where a hit leads; a moment plays from its beginning. @param {Hit} hit */
export function address(hit) {
  if (hit.type === 'course') return `/courses/${encodeURIComponent(hit.course.slug)}`;
  if (hit.type === 'lecture') return `/lectures/${encodeURIComponent(hit.lecture.id)}`;
  return `/lectures/${encodeURIComponent(hit.lecture_id)}?t=${hit.start}`;
}

/** The words that name a hit. @param {Hit} hit */
export function title(hit) {
  if (hit.type === 'course') return markedField(hit, 'title', hit.course.title);
  if (hit.type === 'lecture') return markedField(hit, 'title', hit.lecture.title);
  return markedField(hit, 'text', hit.text);
}

/** Where it belongs. @param {Hit} hit */
export function context(hit) {
  if (hit.type === 'course') return `${t('search.course')} · ${extent(hit.course)}`;
  if (hit.type === 'lecture') return `${t('search.lecture')} · ${hit.lecture.course_title}`;
  return `${clock(hit.start)} · ${hit.lecture_title} · ${hit.course.title}`;
}

/** @param {Hit} hit */
export const symbol = (hit) => icon(ICONS[hit.type]);

/** One line of the results. @param {Hit} hit @returns {HTMLLIElement} */
export function hitRow(hit) {
  const others = hit.highlights.filter((one) => !['title', 'text'].includes(one.field)).slice(0, 2);
  return h('li', { class: 'hit', data: { type: hit.type } },
    symbol(hit),
    h('div', {},
      h('h2', {}, h('a', { href: address(hit) }, title(hit))),
      h('p', { class: 'small muted numbers' }, context(hit)),
      others.map((one) => h('p', { class: 'small excerpt', lang: one.language }, marked(one.html)))));
}
