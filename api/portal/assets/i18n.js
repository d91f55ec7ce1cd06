/** The interface's language: boot.js chose it, the visitor may switch it, this browser remembers. */
import { strings } from './strings.js';
import { remember } from './memory.js';

/** @typedef {keyof typeof strings} Key */

/** @returns {'zh' | 'en'} */
export const language = () => (document.documentElement.lang.startsWith('zh') ? 'zh' : 'en');

/** What texts of the API are asked for in: also languages that the interface has only on some pages. */
export const reading = () => document.documentElement.lang.slice(0, 2) || 'en';

/**
 * The string of a key in the interface's language; `{name}` is replaced from `vars`.
 * A key without a string shows itself, so that nothing is silently empty.
 * @param {string} key
 * @param {Record<string, string | number>} [vars]
 */
export function t(key, vars = {}) {
  const pair = strings[/** @type {Key} */ (key)];
  const text = pair ? pair[language() === 'zh' ? 0 : 1] : key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(vars[name] ?? whole));
}

/** Whether a string exists. @param {string} key */
export const has = (key) => key in strings;

/** Sets the strings that one element names in `data-t` (text), `data-label` and `data-placeholder`. @param {HTMLElement} element */
export function apply(element) {
  const vars = element.dataset.vars ? JSON.parse(element.dataset.vars) : {};
  if (element.dataset.placeholder) element.setAttribute('placeholder', t(element.dataset.placeholder));
  if (element.dataset.t) element.textContent = t(element.dataset.t, vars);
  if (element.dataset.label) {
    const label = t(element.dataset.label, vars);
    element.setAttribute('aria-label', label);
    if (element.matches('button, a')) element.title = label;
  }
}

/** Sets every string below `root`. @param {ParentNode} [root] */
export function applyAll(root = document) {
  for (const element of root.querySelectorAll('[data-t], [data-label]')) {
    apply(/** @type {HTMLElement} */ (element));
  }
}

/** @type {(() => void)[]} */
const listeners = [];

/** `listener` runs after each switch; pages fetch their content again there. @param {() => void} listener */
export const onLanguage = (listener) => void listeners.push(listener);

/** @param {'zh' | 'en'} wanted */
export function switchLanguage(wanted) {
  remember('academy.language', wanted);
  document.documentElement.lang = wanted === 'zh' ? 'zh-Hans' : 'en';
  applyAll();
  for (const listener of listeners) listener();
}
