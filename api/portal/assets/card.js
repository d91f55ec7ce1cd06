/** A course as a card of the catalogue. */
import { cover } from './cover.js';
import { h } from './dom.js';
import { extent, languageName, levelName, list } from './format.js';

/** The course's poster, or a landscape drawn from its slug. @param {import('./types.js').CourseCard} course */
export function poster(course) {
  return course.poster_url ? h('img', { src: course.poster_url, alt: '', loading: 'lazy', class: 'cover' }) : cover(course.slug);
}

/** @param {import('./types.js').CourseCard} course @returns {HTMLLIElement} */
export function card(course) {
  const universities = course.universities.map((one) => one.name);
  const instructors = course.instructors.map((one) => one.name);
  return h(
    'li',
    { class: 'card' },
    h('div', { class: 'card-cover' }, poster(course)),
    h(
      'div',
      { class: 'card-text' },
      h(
        'p',
        { class: 'badges' },
        course.programme ? h('span', { class: 'badge accent' }, course.programme.name) : null,
        course.level ? h('span', { class: 'badge' }, levelName(course.level)) : null,
        h('span', { class: 'badge' }, languageName(course.language)),
      ),
      h('h3', {}, h('a', { href: `/courses/${encodeURIComponent(course.slug)}` }, course.title)),
      universities.length ? h('p', { class: 'small muted' }, list(universities)) : null,
      instructors.length ? h('p', { class: 'small' }, list(instructors)) : null,
      h('p', { class: 'card-foot small muted numbers' }, extent(course)),
    ),
  );
}

/** What stands where cards will be. @param {number} number */
export const placeholders = (number) =>
  Array.from({ length: number }, () =>
    h(
      'li',
      { class: 'card waiting', 'aria-hidden': 'true' },
      h('div', { class: 'card-cover skeleton' }),
      h('div', { class: 'card-text' }, h('div', { class: 'skeleton line' }), h('div', { class: 'skeleton line short' })),
    ),
  );
