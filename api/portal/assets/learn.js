/** My courses: how far one is, where to go on, certificates, and one's own data. */
import { ApiError, call, get } from './api.js';
import { cover } from './cover.js';
import { fill, find, h } from './dom.js';
import { percent } from './format.js';
import { onLanguage, t } from './i18n.js';
import { icon } from './icons.js';
import { claims, signOut, token } from './session.js';
import { startShell } from './shell.js';
import { failure, state } from './state.js';
import { actionButton } from './studio/parts.js';
import { showSignIn } from './studio/signin.js';

const WORDS = { title: 'learn.signin', hint: 'learn.signin.hint' };
const root = find('#learn');
const main = find('#content');

async function load() {
  document.title = `${t('learn.title')} · ${t('brand')}`;
  const next = new URLSearchParams(location.search).get('next') ?? '';
  if (!token()) {
    showSignIn(root, load, '', WORDS);
  } else if (/^\/(courses|lectures)\/[\w-]+$/.test(next)) {
    location.replace(next);
    return;
  } else {
    main.setAttribute('aria-busy', 'true');
    try {
      const courses = await mine();
      fill(root, account(), h('h1', { t: 'learn.title' }), list(courses), data());
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        signOut();
        showSignIn(root, load, t('learn.rejected'), WORDS);
      } else {
        fill(root, account(), failure('learn.title', error, load));
      }
    }
  }
  main.setAttribute('aria-busy', 'false');
}

/** All pages of the list. @returns {Promise<import('./types.js').Attendance[]>} */
async function mine() {
  const found = [];
  for (let cursor = ''; ; ) {
    const page = await get('/v1/me/courses', { limit: 100, cursor });
    found.push(...page.items);
    if (!page.next_cursor) return found;
    cursor = page.next_cursor;
  }
}

function account() {
  const leave = () => {
    signOut();
    load();
  };
  return h('div', { class: 'account small muted' },
    h('span', {}, t('studio.as', { name: claims()?.name || '…' })),
    h('button', { class: 'plain', type: 'button', t: 'studio.signout', onclick: leave }));
}

/** @param {import('./types.js').Attendance[]} courses */
const list = (courses) =>
  courses.length
    ? h('ul', { class: 'teaching' }, courses.map(line))
    : state({ icon: 'book', title: 'learn.none', hint: t('learn.none.hint'), action: h('a', { class: 'button primary', href: '/', t: 'learn.browse' }) });

/** @param {import('./types.js').Attendance} attendance */
function line({ course, progress, next, certificate }) {
  const bar = h('div', { class: 'bar', role: 'img', 'aria-label': t('learn.share', { share: percent(progress.share) }) }, h('span'));
  bar.style.setProperty('--done', String(progress.share));
  const picture = course.poster_url ? h('img', { src: course.poster_url, alt: '', loading: 'lazy', class: 'cover' }) : cover(course.slug);
  return h('li', { class: 'panel attendance' },
    h('div', { class: 'teaching-cover' }, picture),
    h('div', { class: 'attendance-text' },
      h('h2', {}, h('a', { href: `/courses/${encodeURIComponent(course.slug)}` }, course.title)),
      bar,
      h('p', { class: 'small muted numbers' }, `${percent(progress.share)} · ${t('learn.done', { done: progress.completed, all: progress.required })}`),
      h('div', { class: 'actions' },
        next ? h('a', { class: 'button primary', href: `/lectures/${next.id}` }, icon('play'), h('span', {}, t(next.position ? 'learn.continue' : 'learn.begin', { title: next.title }))) : null,
        certificate ? h('a', { class: 'button', href: `/certificates/${certificate}`, t: 'learn.certificate' }) : null),
      progress.complete && !certificate ? claim(course.slug) : null));
}

/** @param {string} slug */
function claim(slug) {
  const name = h('input', { type: 'text', id: `name-${slug}`, name: 'name', maxlength: 120, autocomplete: 'name', value: claims()?.printed ?? '', 'aria-describedby': `name-${slug}-hint` });
  const problem = h('p', { class: 'problem', role: 'alert' });
  const form = h('form', { class: 'claim' },
    h('div', { class: 'field' }, h('label', { for: `name-${slug}`, t: 'learn.name' }), name, h('span', { class: 'hint', id: `name-${slug}-hint`, t: 'learn.name.hint' })),
    h('button', { class: 'button primary', t: 'learn.claim' }), problem);
  form.addEventListener('submit', async (/** @type {Event} */ event) => {
    event.preventDefault();
    problem.textContent = '';
    try {
      const made = await call('POST', `/v1/courses/${encodeURIComponent(slug)}/certificate`, { body: { name: name.value.trim() || null } });
      location.assign(`/certificates/${made.code}`);
    } catch (error) {
      problem.textContent = error instanceof Error ? error.message : String(error);
    }
  });
  return form;
}

function data() {
  const keep = h('input', { type: 'checkbox', id: 'keep', checked: true });
  const save = async () => {
    const text = JSON.stringify(await get('/v1/me'), null, 2);
    const link = h('a', { href: URL.createObjectURL(new Blob([text], { type: 'application/json' })), download: 'academy.json' });
    link.click();
    URL.revokeObjectURL(link.href);
  };
  const erase = async () => {
    if (!confirm(t('learn.erase.sure'))) return;
    await call('DELETE', '/v1/me', { query: { keep_certificates: keep.checked } });
    await load();
  };
  return h('section', { class: 'panel own-data' },
    h('h2', { t: 'learn.data' }),
    h('p', { class: 'small muted', t: 'learn.data.hint' }),
    h('p', { class: 'small' }, h('label', { class: 'check', for: 'keep' }, keep, h('span', { t: 'learn.keep' }))),
    h('div', { class: 'actions' }, actionButton('learn.export', 'slim', save), actionButton('learn.erase', 'slim danger', erase)));
}

startShell();
onLanguage(load);
load();
