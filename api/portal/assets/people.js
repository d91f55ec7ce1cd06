/** Instructors as they are shown on course and lecture pages. */
import { h } from './dom.js';
import { nameOf } from './format.js';

/** First characters of a name: "Ada Lovelace" → "AL", "王小明" → "王". @param {string} name */
function initials(name) {
  if (/\p{Script=Han}/u.test(name)) return [...name.replace(/[^\p{Script=Han}]/gu, '')][0] ?? '';
  const words = name.replace(/\b(Prof|Dr|Mr|Ms)\b\.?/g, '').split(/\s+/).filter(Boolean);
  return [words[0], words.length > 1 ? words[words.length - 1] : ''].map((word) => [...(word ?? '')][0] ?? '').join('').toUpperCase();
}

/** @param {import('./types.js').Instructor | string} instructor @param {boolean} [brief] without the biography */
export function person(instructor, brief = false) {
  const name = nameOf(instructor);
  const known = typeof instructor === 'string' ? null : instructor;
  const portrait = known?.portrait_url
    ? h('img', { class: 'portrait', src: known.portrait_url, alt: '', loading: 'lazy' })
    : h('span', { class: 'portrait', 'aria-hidden': 'true' }, initials(name));
  return h(
    'li',
    { class: 'person' },
    portrait,
    h(
      'div',
      {},
      h('p', { class: 'person-name' }, name, known?.visiting ? h('span', { class: 'badge accent', t: 'course.visiting' }) : null),
      known?.headline || known?.organisation
        ? h('p', { class: 'small muted' }, [known.headline, known.organisation].filter(Boolean).join(' · '))
        : null,
      !brief && known?.bio ? h('p', { class: 'small bio' }, known.bio) : null,
    ),
  );
}
