/** Empty, missing and failed: what a page says instead of content. */
import { ApiError } from './api.js';
import { h } from './dom.js';
import { icon } from './icons.js';

/**
 * @param {{icon: string, title: string, hint?: string, action?: HTMLElement | null, role?: string}} what
 *   `title` is a key, `hint` a sentence.
 * @returns {HTMLElement}
 */
export const state = ({ icon: name, title, hint, action, role }) =>
  h('div', { class: 'state', role }, icon(name), h('h2', { t: title }), hint ? h('p', {}, hint) : null, action);

/**
 * @param {string} title key
 * @param {unknown} error
 * @param {() => void} again
 */
export function failure(title, error, again) {
  const sentence = error instanceof Error ? error.message : String(error);
  // What is not there will not be there at the second try either.
  const gone = error instanceof ApiError && error.status === 404;
  const action = gone
    ? h('a', { class: 'button', href: '/', t: 'course.all' })
    : h('button', { class: 'button', type: 'button', t: 'again', onclick: again });
  return state({ icon: 'alert', title, hint: sentence, action, role: 'alert' });
}
