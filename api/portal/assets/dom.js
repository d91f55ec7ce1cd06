/** Builds elements. `t` and `label` name interface strings, so that a language switch can set them again. */
import { apply } from './i18n.js';

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * @param {string} tag
 * @param {Record<string, any>} [props] `class`, `data`, `t` (text), `label` (aria-label and title),
 *   `vars` (of the text), `on…` listeners; booleans are attributes with or without presence.
 * @param {...(Child | Child[])} children
 * @returns {any} the element; its exact class follows from `tag`
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 't' || name === 'label') element.dataset[name] = value;
    else if (name === 'vars') element.dataset.vars = JSON.stringify(value);
    else if (name === 'data') Object.assign(element.dataset, value);
    else if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  append(element, children);
  if (element.dataset.t || element.dataset.label) apply(element);
  return element;
}

/**
 * @param {Element} parent
 * @param {(Child | Child[])[]} children
 */
export function append(parent, children) {
  for (const child of children.flat()) if (child) parent.append(child);
}

/**
 * Empties `parent` and fills it anew.
 * @param {Element} parent
 * @param {...(Child | Child[])} children
 */
export function fill(parent, ...children) {
  parent.replaceChildren();
  append(parent, children);
}

/**
 * The one element a page is sure to have.
 * @param {string} selector
 * @param {ParentNode} [within]
 * @returns {any}
 */
export function find(selector, within = document) {
  const element = within.querySelector(selector);
  if (!element) throw new Error(`The page has no ${selector}.`);
  return element;
}

/** Plain text with blank lines becomes paragraphs. @param {string | null | undefined} text */
export function paragraphs(text) {
  return (text ?? '')
    .split(/\n\s*\n/)
    .filter((part) => part.trim())
    .map((part) => h('p', {}, part.trim()));
}
