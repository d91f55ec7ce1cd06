/** The results page. Query and kind live in the address. */
import { get } from './api.js';
import { fill, find, h } from './dom.js';
import { hitRow } from './hits.js';
import { onLanguage, t } from './i18n.js';
import { startShell } from './shell.js';
import { failure, state } from './state.js';

const PAGE = 20;
const KINDS = ['', 'course', 'lecture', 'moment'];

const heading = find('#heading');
const tabs = find('#kinds');
const results = find('#results');
const message = find('#message');
const more = find('#more');

/** @type {string | null} */
let cursor = null;
let latest = new AbortController();

const asked = () => {
  const query = new URLSearchParams(location.search);
  return { q: query.get('q') ?? '', type: query.get('type') ?? '' };
};

/** @param {boolean} fresh from the first page on */
async function load(fresh) {
  latest.abort();
  latest = new AbortController();
  const { signal } = latest;
  const { q, type } = asked();
  heading.textContent = q ? t('search.results', { q }) : t('search.title');
  document.title = `${heading.textContent} · ${t('brand')}`;
  showKinds(q, type);
  if (fresh) {
    cursor = null;
    fill(results);
    fill(message);
  }
  if (!q.trim()) {
    results.setAttribute('aria-busy', 'false');
    return;
  }
  results.setAttribute('aria-busy', 'true');
  more.disabled = true;
  try {
    const page = await get('/v1/search', { q: q.slice(0, 200), type, limit: PAGE, cursor }, signal);
    const first = results.children.length;
    results.append(...page.items.map(hitRow));
    cursor = page.next_cursor;
    more.hidden = !cursor;
    if (!results.children.length) fill(message, state({ icon: 'search', title: 'search.nothing', hint: t('search.nothing.hint') }));
    if (!fresh) results.children[first]?.querySelector('a')?.focus();
  } catch (error) {
    if (signal.aborted) return;
    more.hidden = true;
    fill(message, failure('search.failed', error, () => load(fresh)));
  }
  results.setAttribute('aria-busy', 'false');
  more.disabled = false;
}

/** @param {string} q @param {string} type */
function showKinds(q, type) {
  fill(tabs, KINDS.map((kind) => {
    const query = new URLSearchParams({ q, ...(kind ? { type: kind } : {}) });
    return h('a', { href: `/search?${query}`, t: `search.kind.${kind || 'all'}`, 'aria-current': kind === type ? 'page' : null });
  }));
}

startShell();
find('#search input').value = asked().q;
more.addEventListener('click', () => load(false));
onLanguage(() => load(true));
load(true);
