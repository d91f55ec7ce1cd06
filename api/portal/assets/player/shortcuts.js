/** The keyboard on a lecture page. Keys go to the player unless something else wants them. */
import { h } from '../dom.js';

/**
 * @typedef {{toggle: () => void, skip: (seconds: number) => void, jump: (share: number) => void,
 *   louder: (by: number) => void, mute: () => void, enlarge: () => void, captions: () => void,
 *   speed: (steps: number) => void, help: () => void}} Commands
 */

/** Shown in the help dialog: keys and the string that says what they do. */
const table = [
  ['Space K', 'keys.play'],
  ['J L', 'keys.skip'],
  ['← →', 'keys.arrows'],
  ['↑ ↓', 'keys.volume'],
  ['M', 'keys.mute'],
  ['F', 'keys.full'],
  ['C', 'keys.captions'],
  ['< >', 'keys.speed'],
  ['0 … 9', 'keys.digits'],
  ['?', 'keys.help'],
];

/** @param {Commands} commands */
export function listenToKeys(commands) {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.closest('input:not([type="range"]), select, textarea, dialog, [role="menu"]')) return;
    // Space and Enter press what has the focus.
    if (event.key === ' ' && target.closest('button, a, summary')) return;
    const action = actionOf(event.key, commands);
    if (!action) return;
    event.preventDefault();
    action();
  });
}

/** @param {string} key @param {Commands} c @returns {(() => void) | undefined} */
function actionOf(key, c) {
  if (/^\d$/.test(key)) return () => c.jump(Number(key) / 10);
  /** @type {Record<string, () => void>} */
  const actions = {
    ' ': c.toggle, k: c.toggle, m: c.mute, f: c.enlarge, c: c.captions, '?': c.help,
    j: () => c.skip(-10), l: () => c.skip(10), ArrowLeft: () => c.skip(-5), ArrowRight: () => c.skip(5),
    ArrowUp: () => c.louder(0.1), ArrowDown: () => c.louder(-0.1), '<': () => c.speed(-1), '>': () => c.speed(1),
  };
  return actions[key.length === 1 ? key.toLowerCase() : key];
}

/** @returns {HTMLDialogElement} */
export function helpDialog() {
  const dialog = h('dialog', { class: 'keys', 'aria-labelledby': 'keys-title' },
    h('h2', { id: 'keys-title', t: 'player.keys' }),
    h('dl', {}, table.map(([keys, text]) => h('div', {}, h('dt', {}, keys.split(' ').filter((key) => key !== '…').map((key) => h('kbd', {}, key))), h('dd', { t: text })))),
    h('form', { method: 'dialog' }, h('button', { class: 'button', t: 'close', autofocus: true })));
  return dialog;
}
