/** Pieces that several of the studio's views are made of. */
import { fill, h } from '../dom.js';
import { icon } from '../icons.js';

/** @param {boolean} published */
export const publishedBadge = (published) =>
  published ? h('span', { class: 'badge good', t: 'studio.published' }) : h('span', { class: 'badge warn', t: 'studio.draft' });

/**
 * A button whose action may fail: it waits, and a failure becomes a sentence behind it.
 * @param {string} key of its text
 * @param {string} style extra classes
 * @param {() => Promise<unknown>} action
 * @returns {HTMLElement}
 */
export function actionButton(key, style, action) {
  const problem = h('span', { class: 'problem', role: 'alert' });
  const button = h('button', { class: `button ${style}`, type: 'button', t: key });
  button.addEventListener('click', async () => {
    button.disabled = true;
    problem.textContent = '';
    try {
      await action();
    } catch (error) {
      problem.textContent = error instanceof Error ? error.message : String(error);
    }
    button.disabled = false;
  });
  return h('span', { class: 'action' }, button, problem);
}

/** @param {string} label key @param {HTMLElement} input @param {string} [hint] key */
export function field(label, input, hint) {
  const id = `field-${input.getAttribute('name')}`;
  input.id = id;
  if (hint) input.setAttribute('aria-describedby', `${id}-hint`);
  return h('div', { class: 'field' }, h('label', { for: id, t: label }), input,
    hint ? h('span', { class: 'hint', id: `${id}-hint`, t: hint }) : null);
}

/**
 * Sends a form; what the API finds wrong is said at the fields it names, the rest below.
 * @param {HTMLFormElement} form with a `.problem` element
 * @param {() => Promise<unknown>} send
 */
export function onSend(form, send) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const button = /** @type {HTMLButtonElement} */ (form.querySelector('button:not([type="button"])'));
    const problem = /** @type {HTMLElement} */ (form.querySelector('.problem'));
    problem.textContent = '';
    for (const input of form.querySelectorAll('[aria-invalid]')) input.removeAttribute('aria-invalid');
    button.disabled = true;
    try {
      await send();
    } catch (error) {
      const wrong = /** @type {any} */ (error).problem?.errors ?? [];
      for (const { pointer } of wrong) {
        form.querySelector(`[name="${CSS.escape(String(pointer).split('/')[1] ?? '')}"]`)?.setAttribute('aria-invalid', 'true');
      }
      problem.textContent = error instanceof Error ? error.message : String(error);
    }
    button.disabled = false;
  });
}

/** @param {HTMLSelectElement} select @param {{value: string, text: string}[]} options */
export const setOptions = (select, options) => fill(select, options.map(({ value, text }) => h('option', { value }, text)));

/** @param {'info' | 'warn' | 'bad' | 'good'} kind @param {string} name of the icon @param {string} sentence */
export const notice = (kind, name, sentence) => h('div', { class: `notice ${kind}` }, icon(name), h('p', {}, sentence));
