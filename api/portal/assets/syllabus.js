/** A course's sections and lectures as a list: on the course's page and beside the player. */
import { h } from './dom.js';
import { clock, percent } from './format.js';
import { t } from './i18n.js';
import { icon } from './icons.js';
import { watchedShare } from './player/resume.js';

/** All lectures in teaching order. @param {import('./types.js').Course} course */
export const lecturesOf = (course) => course.sections.flatMap((section) => section.lectures);

/**
 * @param {import('./types.js').Course} course
 * @param {string} [current] id of the lecture that is open
 * @returns {HTMLElement[]}
 */
export function syllabus(course, current) {
  let number = 0;
  const sections = course.sections.filter((section) => section.lectures.length);
  return sections.map((section) =>
    h(
      'section',
      { class: 'section' },
      section.title ? h('h3', {}, section.title) : sections.length > 1 ? h('h3', { t: 'course.other' }) : null,
      h('ol', {}, section.lectures.map((lecture) => row(lecture, (number += 1), lecture.id === current))),
    ),
  );
}

/** @param {import('./types.js').LectureRow} lecture @param {number} number @param {boolean} current */
function row(lecture, number, current) {
  const share = watchedShare(lecture.id);
  const side = lecture.playable
    ? h('span', { class: 'numbers' }, lecture.duration ? clock(lecture.duration) : '')
    : h('span', { class: 'badge' }, icon('clock'), h('span', { class: 'badge-text' }, t('lecture.soon')));
  const done = share > 0 ? h('span', { class: 'bar', role: 'img', 'aria-label': t('lecture.watched', { share: percent(share) }) }, h('span')) : null;
  done?.style.setProperty('--done', String(share));
  return h(
    'li',
    { class: `row${lecture.playable ? '' : ' waiting'}` },
    h('a', { href: `/lectures/${lecture.id}`, 'aria-current': current ? 'page' : null },
      h('span', { class: 'row-number numbers', 'aria-hidden': 'true' }, current ? icon('play') : String(number)),
      h('span', { class: 'row-title' }, lecture.title, done),
      lecture.published === false ? h('span', { class: 'badge warn' }, t('lecture.unpublished')) : null,
      h('span', { class: 'row-side small muted' }, side)),
  );
}
