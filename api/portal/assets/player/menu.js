/** A button that opens a menu of which one entry is chosen (WAI-ARIA menu button with menuitemradio). */
import { fill, h } from '../dom.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';

/** @typedef {{value: any, text: string}} Choice */

let ids = 0;

export class Menu {
  /**
   * @param {{label: string, face: () => (Node | string), choices: () => Choice[], current: () => any,
   *   choose: (value: any) => void}} what `face` is what the button shows
   */
  constructor(what) {
    this.what = what;
    ids += 1;
    const id = `menu-${ids}`;
    this.list = h('ul', { class: 'menu', id, role: 'menu', label: what.label, hidden: true });
    this.button = h('button', {
      class: 'control', type: 'button', 'aria-haspopup': 'menu', 'aria-expanded': 'false', 'aria-controls': id,
    });
    this.element = h('div', { class: 'menu-holder' }, this.button, this.list);
    this.button.addEventListener('click', () => (this.open ? this.hide(false) : this.show()));
    this.button.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
      event.preventDefault();
      event.stopPropagation();
      this.show();
    });
    this.list.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => this.#key(event));
    this.element.addEventListener('focusout', (/** @type {FocusEvent} */ event) => {
      if (!this.element.contains(/** @type {Node | null} */ (event.relatedTarget))) this.hide(false);
    });
    this.update();
  }

  get open() {
    return !this.list.hidden;
  }

  update() {
    const face = this.what.face();
    const label = t(this.what.label);
    fill(this.button, face);
    // Whoever says what they see, "Auto", must be understood: the name holds the visible text.
    this.button.setAttribute('aria-label', typeof face === 'string' ? `${label}: ${face}` : label);
    this.button.title = label;
    this.element.hidden = this.what.choices().length < 2;
  }

  show() {
    const current = this.what.current();
    fill(this.list, this.what.choices().map(({ value, text }) =>
      h('li', { role: 'none' },
        h('button', {
          type: 'button', role: 'menuitemradio', tabindex: '-1', 'aria-checked': String(value === current),
          onclick: () => {
            this.what.choose(value);
            this.hide(true);
            this.update();
          },
        }, h('span', { class: 'menu-check' }, value === current ? icon('check') : null), text))));
    this.list.hidden = false;
    this.button.setAttribute('aria-expanded', 'true');
    (this.list.querySelector('[aria-checked="true"]') ?? this.list.querySelector('button'))?.focus();
  }

  /** @param {boolean} focus back to the button */
  hide(focus) {
    if (!this.open) return;
    this.list.hidden = true;
    this.button.setAttribute('aria-expanded', 'false');
    if (focus) this.button.focus();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const items = [...this.list.querySelectorAll('button')];
    const at = items.indexOf(document.activeElement);
    /** @type {Record<string, number>} */
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 };
    if (event.key === 'Escape') this.hide(true);
    else if (event.key in next) items[(next[event.key] + items.length) % items.length].focus();
    else if (event.key !== 'Enter' && event.key !== ' ') return;
    else {
      event.stopPropagation();
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}
