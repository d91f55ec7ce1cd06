/** A course's page. */
import { get } from './api.js';
import { poster } from './card.js';
import { fill, find, h, paragraphs } from './dom.js';
import { enrolment } from './enrolment.js';
import { extent, languageName, levelName, list } from './format.js';
import { onLanguage, t } from './i18n.js';
import { icon } from './icons.js';
import { person } from './people.js';
import { latestOf } from './player/resume.js';
import { adoptProgress } from './progress.js';
import { startShell } from './shell.js';
import { failure } from './state.js';
import { lecturesOf, syllabus } from './syllabus.js';

const slug = decodeURIComponent(location.pathname.split('/').pop() ?? '');
const main = find('#content');

async function load() {
  main.setAttribute('aria-busy', 'true');
  try {
    /** @type {import('./types.js').Course} */
    const course = await get(`/v1/courses/${encodeURIComponent(slug)}`);
    await Promise.all([withPeople(course), adoptProgress(slug)]);
    document.title = `${course.title} · ${t('brand')}`;
    fill(main, header(course), body(course));
  } catch (error) {
    fill(main, failure('course.failed', error, load));
  }
  main.setAttribute('aria-busy', 'false');
}

/**
 * A course names its instructors briefly; their biographies are asked for one by one, and where one cannot
 * be had the name stays.
 * @param {import('./types.js').Course} course
 */
async function withPeople(course) {
  const full = course.instructors.map((one) => get(`/v1/instructors/${encodeURIComponent(one.slug)}`).catch(() => one));
  course.instructors = await Promise.all(full);
}

/** @param {import('./types.js').Course} course */
function header(course) {
  return h(
    'header',
    { class: 'course-head' },
    h(
      'div',
      { class: 'wrap course-head-grid' },
      h(
        'div',
        { class: 'course-words' },
        h('a', { class: 'crumb small', href: '/' }, icon('left'), h('span', { t: 'course.all' })),
        h('p', { class: 'badges' },
          course.published_at ? null : h('span', { class: 'badge warn', t: 'course.draft' }),
          course.demo ? h('span', { class: 'badge info', t: 'course.demo' }) : null,
          course.programme ? h('span', { class: 'badge accent' }, course.programme.name) : null,
          course.level ? h('span', { class: 'badge' }, levelName(course.level)) : null,
          h('span', { class: 'badge' }, t('course.taughtin', { language: languageName(course.language) }))),
        h('h1', {}, course.title),
        course.summary ? h('p', { class: 'lead' }, course.summary) : null,
        h('p', { class: 'small muted' }, [list(course.universities.map((one) => one.name)), extent(course)].filter(Boolean).join(' · ')),
        h('div', { class: 'actions' }, startLink(course), course.published_at ? enrolment(slug) : null),
      ),
      h('div', { class: 'course-cover' }, poster(course)),
    ),
  );
}

/** To the lecture watched last, or else the first one that plays. @param {import('./types.js').Course} course */
function startLink(course) {
  const lectures = lecturesOf(course).filter((lecture) => lecture.playable);
  if (!lectures.length) return null;
  const last = latestOf(lectures.map((lecture) => lecture.id));
  const lecture = lectures.find((one) => one.id === last);
  return h('a', { class: 'button primary', href: `/lectures/${(lecture ?? lectures[0]).id}` },
    icon('play'), lecture ? t('course.continue', { title: lecture.title }) : t('course.start'));
}

/** @param {import('./types.js').Course} course */
function body(course) {
  const lectures = syllabus(course);
  return h(
    'div',
    { class: 'wrap course-body' },
    h('section', { class: 'course-main', 'aria-labelledby': 'syllabus' },
      h('h2', { id: 'syllabus', t: 'course.syllabus' }),
      lectures.length ? lectures : h('p', { class: 'muted', t: 'course.empty' })),
    h('div', { class: 'course-aside' },
      course.description ? h('section', { class: 'prose' }, h('h2', { t: 'course.about' }), paragraphs(course.description)) : null,
      course.instructors.length
        ? h('section', {}, h('h2', { t: 'course.instructors' }), h('ul', { class: 'people' }, course.instructors.map((one) => person(one))))
        : null),
  );
}

startShell();
onLanguage(load);
load();
