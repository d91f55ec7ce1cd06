/** The instructor's courses, and the form for a new one. */
import { creator, get } from '../api.js';
import { poster } from '../card.js';
import { fill, h } from '../dom.js';
import { extent, languageName } from '../format.js';
import { language, t } from '../i18n.js';
import { icon } from '../icons.js';
import { state } from '../state.js';
import { field, onSend, publishedBadge, setOptions } from './parts.js';

/** @param {HTMLElement} root @param {string} _name @param {AbortSignal} signal */
export async function showCourses(root, _name, signal) {
  const courses = await mine(signal);
  const form = newCourse();
  form.hidden = courses.length > 0;
  const open = h('button', { class: 'button primary', type: 'button', 'aria-expanded': String(!form.hidden) }, icon('plus'), h('span', { t: 'studio.newcourse' }));
  open.addEventListener('click', () => {
    form.hidden = !form.hidden;
    open.setAttribute('aria-expanded', String(!form.hidden));
    if (!form.hidden) form.querySelector('input')?.focus();
  });
  fill(root,
    h('div', { class: 'studio-head' }, h('h1', { t: 'studio.courses' }), open),
    form,
    courses.length ? h('ul', { class: 'teaching' }, courses.map(line)) : state({ icon: 'film', title: 'studio.nocourses', hint: t('studio.nocourses.hint') }));
}

/** All pages of the list. @param {AbortSignal} signal @returns {Promise<import('../types.js').CourseCard[]>} */
async function mine(signal) {
  const courses = [];
  for (let cursor = ''; ; ) {
    const page = await get('/v1/me/teaching', { limit: 100, cursor }, signal);
    courses.push(...page.items);
    if (!page.next_cursor) return courses;
    cursor = page.next_cursor;
  }
}

/** @param {import('../types.js').CourseCard} course */
const line = (course) =>
  h('li', { class: 'panel teaching-line' },
    h('div', { class: 'teaching-cover' }, poster(course)),
    h('div', { class: 'teaching-text' },
      h('h2', {}, h('a', { href: `#/courses/${encodeURIComponent(course.slug)}` }, course.title)),
      h('p', { class: 'small muted' }, `${languageName(course.language)} · ${extent(course)}`)),
    publishedBadge(Boolean(course.published_at)));

/** "Cloud Basics!" → "cloud-basics"; accents go, other scripts leave nothing. @param {string} title */
const slugOf = (title) =>
  title.normalize('NFKD').replace(/[\u0300-\u036f]/g, '').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 80);

function newCourse() {
  const title = h('input', { type: 'text', name: 'title', required: true, maxlength: 300 });
  const slug = h('input', { type: 'text', name: 'slug', required: true, pattern: '[a-z0-9]+(-[a-z0-9]+)*', maxlength: 80, autocapitalize: 'off', spellcheck: 'false' });
  const spoken = h('select', { name: 'language' });
  const level = h('select', { name: 'level' });
  const programme = h('select', { name: 'programme' });
  const university = h('select', { name: 'universities' });
  const instructor = h('select', { name: 'instructors' });
  const summary = h('textarea', { name: 'summary', rows: 2, maxlength: 600 });
  const none = { value: '', text: t('form.none') };
  setOptions(spoken, ['zh', 'en', 'fr'].map((value) => ({ value, text: languageName(value) })));
  spoken.value = language();
  setOptions(level, [none, ...['beginner', 'intermediate', 'advanced'].map((value) => ({ value, text: t(`level.${value}`) }))]);
  for (const [select, path] of [[programme, 'programmes'], [university, 'universities'], [instructor, 'instructors']]) {
    setOptions(select, [none]);
    get(`/v1/${path}`, { limit: 100 })
      .then(({ items }) => setOptions(select, [none, ...items.map((/** @type {any} */ item) => ({ value: item.slug, text: item.name }))]))
      .catch(() => {}); // the field stays at "not given", which is allowed
  }
  let touched = false;
  slug.addEventListener('input', () => void (touched = true));
  title.addEventListener('input', () => {
    if (!touched) slug.value = slugOf(title.value);
  });
  const form = h('form', { class: 'panel form-grid', id: 'new-course' },
    field('form.title', title), field('form.slug', slug, 'form.slug.hint'),
    field('form.language', spoken), field('form.level', level),
    field('form.programme', programme), field('form.university', university), field('form.instructor', instructor),
    h('div', { class: 'wide' }, field('form.summary', summary)),
    h('div', { class: 'wide form-end' }, h('button', { class: 'button primary', t: 'studio.create' }), h('p', { class: 'problem', role: 'alert' })));
  const create = creator('/v1/courses');
  onSend(form, async () => {
    const body = {
      title: title.value.trim(), slug: slug.value, language: spoken.value,
      level: level.value || undefined, programme: programme.value || undefined, summary: summary.value.trim() || undefined,
      universities: university.value ? [university.value] : [], instructors: instructor.value ? [instructor.value] : [],
    };
    const course = await create(body);
    location.hash = `#/courses/${encodeURIComponent(course.slug)}`;
  });
  return form;
}
