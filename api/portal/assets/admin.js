/** For administrators: the queue, the transcoders, what failed and why, and the storage. */
import { ApiError, call, get } from './api.js';
import { fill, find, h } from './dom.js';
import { bytes, count, percent, spell } from './format.js';
import { onLanguage, t } from './i18n.js';
import { claims, signOut, token } from './session.js';
import { startShell } from './shell.js';
import { failure } from './state.js';
import { adminStrings } from './strings-admin.js';
import { strings } from './strings.js';
import { actionButton } from './studio/parts.js';
import { showSignIn } from './studio/signin.js';
import { firstTakedowns, takedownsPanel } from './takedowns.js';

Object.assign(strings, adminStrings); // no other page needs these words
const WORDS = { title: 'admin.signin', hint: 'admin.signin.hint' };
const STATES = ['failed', 'running', 'queued', 'succeeded', 'cancelled'];
const root = find('#admin');
const main = find('#content');
let state = 'failed';

async function load() {
  document.title = `${t('admin.title')} · ${t('brand')}`;
  if (!token()) {
    showSignIn(root, load, '', WORDS);
  } else {
    main.setAttribute('aria-busy', 'true');
    try {
      const [queue, transcoders, usage, jobs, takedowns] = await Promise.all([
        get('/v1/admin/queue'),
        get('/v1/admin/transcoders'),
        get('/v1/storage'),
        get('/v1/admin/jobs', { state, limit: 50 }),
        firstTakedowns(),
      ]);
      fill(root, account(), h('h1', { t: 'admin.title' }),
        h('div', { class: 'figures' }, queuePanel(queue), transcodersPanel(transcoders.items), storagePanel(usage)),
        jobsPanel(jobs), takedownsPanel(takedowns, load));
    } catch (error) {
      if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
        signOut();
        showSignIn(root, load, t('admin.rejected'), WORDS);
      } else {
        fill(root, account(), failure('admin.title', error, load));
      }
    }
  }
  main.setAttribute('aria-busy', 'false');
}

function account() {
  const leave = () => {
    signOut();
    load();
  };
  return h('div', { class: 'account small muted' },
    h('span', {}, t('studio.as', { name: claims()?.name || '…' })),
    h('button', { class: 'plain', type: 'button', t: 'admin.refresh', onclick: load }),
    h('button', { class: 'plain', type: 'button', t: 'studio.signout', onclick: leave }));
}

/** @param {string} title @param {[string, string][]} rows keys and values */
const figures = (title, rows) =>
  h('section', { class: 'panel' }, h('h2', { t: title }),
    h('dl', {}, rows.flatMap(([key, value]) => [h('dt', { t: key }), h('dd', {}, value)])));

/** @param {any} queue */
const queuePanel = (queue) =>
  figures('admin.queue', [
    ['admin.ready', count(queue.ready)],
    ['admin.oldest', queue.oldest === null ? '–' : spell(queue.oldest)],
    ['admin.waiting', count(queue.waiting)],
    ['admin.state.running', count(queue.states.running)],
    ['admin.stale', count(queue.stale)],
    ['admin.state.failed', count(queue.states.failed)],
  ]);

/** @param {any} usage */
const storagePanel = (usage) =>
  figures('admin.storage', ['sources', 'media', 'pending', 'total'].map((name) => [`admin.${name}`, bytes(usage[name])]));

/** @param {any[]} transcoders */
const transcodersPanel = (transcoders) =>
  h('section', { class: 'panel' }, h('h2', { t: 'admin.transcoders' }),
    transcoders.length
      ? h('ul', {}, transcoders.map((each) =>
          h('li', {}, h('h3', {}, each.id), h('p', { class: 'small' }, t(each.away ? 'admin.away' : 'admin.present')),
            h('p', { class: 'small muted' }, t('admin.transcoder', { ...each, encoders: each.encoders ?? '?' })))))
      : h('p', { class: 'small', t: 'admin.transcoders.none' }));

/** @param {any} page */
function jobsPanel(page) {
  const choice = h('select', { id: 'state' }, STATES.map((each) => h('option', { value: each, t: `admin.state.${each}` })));
  choice.value = state;
  choice.addEventListener('change', () => {
    state = choice.value;
    load();
  });
  const list = h('ul', {}, page.items.map(jobLine));
  const more = h('div', { class: 'actions' });
  offerMore(more, list, page.next_cursor);
  return h('section', { class: 'panel' }, h('h2', { t: 'admin.jobs' }),
    h('div', { class: 'field' }, h('label', { for: 'state', t: 'admin.state' }), choice),
    page.items.length ? list : h('p', { class: 'small', t: 'admin.jobs.none' }), more);
}

/** @param {HTMLElement} place @param {HTMLElement} list @param {string | null} cursor */
function offerMore(place, list, cursor) {
  const next = async () => {
    const page = await get('/v1/admin/jobs', { state, limit: 50, cursor });
    list.append(...page.items.map(jobLine));
    offerMore(place, list, page.next_cursor);
  };
  fill(place, cursor ? actionButton('admin.more', 'slim', next) : null);
}

/** @param {any} job */
function jobLine(job) {
  const title = job.title.en ?? Object.values(job.title)[0] ?? job.lecture_id;
  /** @param {string} what */
  const act = (what) => actionButton(`admin.${what}`, 'slim', async () => {
    await call('POST', `/v1/admin/jobs/${job.id}/${what}`);
    await load();
  });
  const active = job.state === 'queued' || job.state === 'running';
  return h('li', { class: 'job' },
    h('h3', {}, title),
    h('p', { class: 'small muted' }, [job.course, job.filename, job.size === null ? null : bytes(job.size), job.owner, active ? percent(job.progress) : null].filter(Boolean).join(' · ')),
    h('p', { class: 'small muted' }, t('admin.ids', { id: job.id, request: job.request_id ?? '–', attempts: job.attempts })),
    job.failure ? h('p', {}, `${job.failure.code}: ${job.failure.message}`) : null,
    job.failure?.detail ? h('details', {}, h('summary', { t: 'admin.detail' }), h('pre', { tabindex: '0' }, job.failure.detail)) : null,
    h('div', { class: 'actions' },
      active ? [act('cancel'), act('requeue')] : null,
      job.superseded ? h('span', { class: 'badge', t: 'admin.superseded' }) : job.state === 'failed' || job.state === 'cancelled' ? act('retry') : null));
}

startShell();
onLanguage(load);
load();
