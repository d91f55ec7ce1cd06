/** One course: its lectures, adding one, publishing. */
import { call, creator, get } from '../api.js';
import { append, fill, h } from '../dom.js';
import { clock } from '../format.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { state } from '../state.js';
import { lecturesOf } from '../syllabus.js';
import { actionButton, field, notice, onSend, publishedBadge } from './parts.js';
import { statistics } from './statistics.js';

/** @param {HTMLElement} root @param {string} slug @param {AbortSignal} signal */
export async function showCourse(root, slug, signal) {
  const path = `/v1/courses/${encodeURIComponent(slug)}`;
  const again = () => showCourse(root, slug, signal);
  /** @type {import('../types.js').Course} */
  const course = await get(path, {}, signal);
  const published = Boolean(course.published_at);
  const publish = async () => {
    await call('POST', `${path}/${published ? 'unpublish' : 'publish'}`);
    await again();
  };
  const lectures = lecturesOf(course);
  document.title = `${course.title} · ${t('studio.title')}`;
  fill(root,
    h('a', { class: 'crumb small', href: '#/' }, icon('left'), h('span', { t: 'studio.allcourses' })),
    h('div', { class: 'studio-head' },
      h('div', {}, h('h1', {}, course.title), h('p', { class: 'badges' }, publishedBadge(published))),
      h('div', { class: 'actions' },
        h('a', { class: 'button', href: `/courses/${encodeURIComponent(slug)}`, t: 'studio.preview' }),
        actionButton(published ? 'studio.unpublish' : 'studio.publish', published ? '' : 'primary', publish))),
    published ? null : notice('info', 'info', t('studio.publishcourse.hint')),
    lectures.length ? null : state({ icon: 'film', title: 'studio.nolectures', hint: t('studio.nolectures.hint') }));
  let number = 0;
  append(root, course.sections.filter((section) => section.lectures.length).map((section) =>
    h('section', { class: 'section' },
      section.title ? h('h3', {}, section.title) : null,
      h('ol', {}, section.lectures.map((lecture) => row(lecture, (number += 1)))))));
  root.append(newLecture(course, path));
  if (published) root.append(statistics(slug, signal));
}

/** @param {import('../types.js').LectureRow} lecture @param {number} number */
const row = (lecture, number) =>
  h('li', { class: 'row' },
    h('a', { href: `#/lectures/${lecture.id}` },
      h('span', { class: 'row-number numbers', 'aria-hidden': 'true' }, String(number)),
      h('span', { class: 'row-title' }, lecture.title),
      lecture.playable ? h('span', { class: 'small muted numbers' }, lecture.duration ? clock(lecture.duration) : '') : h('span', { class: 'badge' }, icon('clock'), h('span', { t: 'lecture.soon' })),
      publishedBadge(lecture.published)));

/** @param {import('../types.js').Course} course @param {string} path */
function newLecture(course, path) {
  const title = h('input', { type: 'text', name: 'title', required: true, maxlength: 300 });
  const section = h('input', { type: 'text', name: 'section', maxlength: 300, list: 'sections', autocomplete: 'off' });
  const form = h('form', { class: 'panel form-grid', id: 'new-lecture' },
    h('h2', { class: 'wide', t: 'studio.newlecture' }),
    field('form.lecturetitle', title), field('form.section', section, 'form.section.hint'),
    h('datalist', { id: 'sections' }, course.sections.filter((one) => one.title).map((one) => h('option', { value: one.title }))),
    h('div', { class: 'wide form-end' }, h('button', { class: 'button primary', t: 'studio.create' }), h('p', { class: 'problem', role: 'alert' })));
  const create = creator(`${path}/lectures`);
  onSend(form, async () => {
    const body = { title: title.value.trim(), section: await sectionId(course, path, section.value.trim()) };
    const lecture = await create(body);
    location.hash = `#/lectures/${lecture.id}`;
  });
  return form;
}

/**
 * The section of that title; one that does not exist yet is added to the course.
 * @param {import('../types.js').Course} course @param {string} path @param {string} title
 * @returns {Promise<string | undefined>}
 */
async function sectionId(course, path, title) {
  if (!title) return undefined;
  const known = course.sections.find((section) => section.title === title);
  if (known?.id) return known.id;
  const sections = course.sections.filter((section) => section.id).map(({ id, title: text }) => ({ id, title: text ?? '' }));
  // Titles must not be written back in the reader's language, so the maps of all languages are read first.
  const whole = await call('GET', path, { query: { lang: '*' } });
  for (const section of sections) section.title = whole.sections.find((/** @type {any} */ one) => one.id === section.id)?.title ?? section.title;
  /** @type {import('../types.js').Course} */
  const changed = await call('PATCH', path, { body: { sections: [...sections, { title }] } });
  course.sections = changed.sections;
  return changed.sections[changed.sections.length - 1].id ?? undefined;
}
