/** Instructors as they are shown on course and lecture pages. */
import { h } from './dom.js';

/** First characters of a name: "Prof. Ada Lovelace (demo)" → "AL", "王小明教授" → "王". @param {string} name */
function initials(name) {
  name = name.replace(/[（(].*?[)）]/g, ' ');
  if (/\p{Script=Han}/u.test(name)) return [...name.replace(/[^\p{Script=Han}]/gu, '')][0] ?? '';
  const words = name.replace(/\b(Prof|Dr|Mr|Ms)\b\.?/g, '').split(/\s+/).filter(Boolean);
  return [words[0], words.length > 1 ? words[words.length - 1] : ''].map((word) => [...(word ?? '')][0] ?? '').join('').toUpperCase();
}

/** @param {import('./types.js').Instructor} instructor @param {boolean} [brief] without the biography */
export function person(instructor, brief = false) {
  const { name } = instructor;
  const portrait = instructor.portrait_url
    ? h('img', { class: 'portrait', src: instructor.portrait_url, alt: '', loading: 'lazy' })
    : h('span', { class: 'portrait', 'aria-hidden': 'true' }, initials(name));
  return h(
    'li',
    { class: 'person' },
    portrait,
    h(
      'div',
      {},
      h('p', { class: 'person-name' }, name, instructor.visiting ? h('span', { class: 'badge accent', t: 'course.visiting' }) : null),
      instructor.headline || instructor.organisation
        ? h('p', { class: 'small muted' }, [instructor.headline, instructor.organisation].filter(Boolean).join(' · '))
        : null,
      !brief && instructor.bio ? h('p', { class: 'small bio' }, instructor.bio) : null,
    ),
  );
}
