/** The search field in every page's header: suggestions while one types (the combobox pattern of WAI-ARIA). */
import { get } from './api.js';
import { fill, find, h } from './dom.js';
import { address, context, symbol, title } from './hits.js';

const PAUSE = 150; // milliseconds without a key until the question is sent
const SHOWN = 6;

export function startSearchBox() {
  const form = find('#search');
  const field = find('input', form);
  const list = find('ul', form);
  let latest = new AbortController();
  let timer = 0;
  let at = -1;

  const close = () => {
    latest.abort();
    clearTimeout(timer);
    at = -1;
    list.hidden = true;
    field.setAttribute('aria-expanded', 'false');
    field.removeAttribute('aria-activedescendant');
  };
  /** @param {number} wanted */
  const choose = (wanted) => {
    const options = [...list.children];
    at = (wanted + options.length + 1) % (options.length + 1); // one place more: the field itself
    options.forEach((option, index) => option.setAttribute('aria-selected', String(index === at)));
    if (options[at]) field.setAttribute('aria-activedescendant', options[at].id);
    else field.removeAttribute('aria-activedescendant');
  };
  /** @param {import('./types.js').Hit[]} hits */
  const show = (hits) => {
    fill(list, hits.map((hit, index) =>
      h('li', { id: `suggestion-${index}`, role: 'option', 'aria-selected': 'false', data: { href: address(hit) }, onclick: () => location.assign(address(hit)) },
        symbol(hit), h('span', {}, h('span', { class: 'hit-title' }, title(hit)), h('small', { class: 'muted numbers' }, context(hit))))));
    at = -1;
    list.hidden = !hits.length;
    field.setAttribute('aria-expanded', String(!list.hidden));
  };
  const ask = async () => {
    latest.abort();
    latest = new AbortController();
    const { signal } = latest;
    try {
      const page = await get('/v1/search', { q: field.value, limit: SHOWN }, signal);
      if (!signal.aborted) show(page.items);
    } catch {
      if (!signal.aborted) close(); // suggestions are a courtesy: the results page says what is wrong
    }
  };

  field.addEventListener('input', (/** @type {InputEvent} */ event) => {
    if (event.isComposing) return; // half a pinyin syllable is no question
    clearTimeout(timer);
    if (field.value.trim()) timer = setTimeout(ask, PAUSE);
    else close();
  });
  field.addEventListener('compositionend', () => void (timer = setTimeout(ask, PAUSE)));
  field.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
    if (event.isComposing || list.hidden) return;
    if (event.key === 'Escape') close();
    else if (event.key === 'ArrowDown') choose(at + 1);
    else if (event.key === 'ArrowUp') choose(at < 0 ? list.children.length - 1 : at - 1);
    else if (event.key === 'Enter' && at >= 0 && list.children[at]) location.assign(list.children[at].dataset.href);
    else return;
    event.preventDefault();
  });
  list.addEventListener('mousedown', (/** @type {MouseEvent} */ event) => event.preventDefault()); // the field keeps the focus
  field.addEventListener('blur', close);
  form.addEventListener('submit', (/** @type {SubmitEvent} */ event) => {
    if (!field.value.trim()) event.preventDefault();
  });
  // What was typed while this module was on its way.
  const known = new URLSearchParams(location.search).get('q') ?? '';
  if (document.activeElement === field && field.value.trim() && field.value !== known) ask();
}
