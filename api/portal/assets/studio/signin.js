/** Signing in with a token. */
import { fill, h } from '../dom.js';
import { signIn } from '../session.js';

/** @param {HTMLElement} root @param {() => void} done @param {string} [problem] why the last token did not do @param {{title: string, hint: string}} [words] keys */
export function showSignIn(root, done, problem = '', words = { title: 'studio.signin', hint: 'studio.signin.hint' }) {
  const input = h('input', { type: 'password', id: 'token', name: 'token', required: true, autocomplete: 'off', spellcheck: 'false', 'aria-describedby': 'token-hint', 'aria-invalid': problem ? 'true' : null });
  const form = h('form', { class: 'panel signin' },
    h('h1', { t: words.title }),
    h('p', { class: 'muted', id: 'token-hint', t: words.hint }),
    h('div', { class: 'field' }, h('label', { for: 'token', t: 'studio.token' }), input),
    problem ? h('p', { class: 'problem', role: 'alert' }, problem) : null,
    h('button', { class: 'button primary', t: 'studio.enter' }));
  form.addEventListener('submit', (/** @type {Event} */ event) => {
    event.preventDefault();
    signIn(input.value.trim().replace(/^Bearer\s+/i, ''));
    done();
  });
  fill(root, form);
  input.focus();
}

/** Asks for another token over the page, which stays as it is. */
export function signInAgain() {
  if (document.querySelector('#again')) return;
  const dialog = h('dialog', { id: 'again', class: 'again', label: 'studio.again', onclose: () => dialog.remove() });
  document.body.append(dialog);
  dialog.showModal();
  showSignIn(dialog, () => dialog.close(), '', { title: 'studio.again', hint: 'studio.again.hint' });
}
