/** What every page has around its content: strings, language and theme switches, fonts that come late. */
import { find, h } from './dom.js';
import { applyAll, language, onLanguage, switchLanguage } from './i18n.js';
import { icon } from './icons.js';
import { recall, remember } from './memory.js';

const THEMES = /** @type {const} */ (['system', 'light', 'dark']);

export function startShell() {
  applyAll();
  languageButton();
  themeButton();
  lateFonts();
  searchBox();
}

/** Suggestions are loaded once somebody is about to search. */
function searchBox() {
  const load = () => import('./search-box.js').then(({ startSearchBox }) => startSearchBox());
  const field = find('#search input');
  if (document.activeElement === field) load(); // somebody was faster than this script
  else field.addEventListener('focus', load, { once: true });
}

function languageButton() {
  const button = find('#language');
  const show = () => {
    // Named in the language it leads to, so that whoever needs it can read it.
    const other = language() === 'zh' ? 'en' : 'zh';
    button.textContent = other === 'zh' ? '中文' : 'English';
    button.lang = other === 'zh' ? 'zh-Hans' : 'en';
  };
  button.addEventListener('click', () => switchLanguage(language() === 'zh' ? 'en' : 'zh'));
  onLanguage(show);
  show();
}

function themeButton() {
  const button = find('#theme');
  const current = () => THEMES.find((theme) => theme === recall('academy.theme')) ?? 'system';
  const show = () => {
    const theme = current();
    button.replaceChildren(icon({ system: 'system', light: 'sun', dark: 'moon' }[theme]));
    button.dataset.label = `theme.${theme}`;
    applyAll(button.parentElement);
  };
  button.addEventListener('click', () => {
    const next = THEMES[(THEMES.indexOf(current()) + 1) % THEMES.length];
    remember('academy.theme', next === 'system' ? null : next);
    const dark = matchMedia('(prefers-color-scheme: dark)').matches;
    document.documentElement.dataset.theme = next === 'system' ? (dark ? 'dark' : 'light') : next;
    show();
  });
  show();
}

/**
 * The fonts' style sheet (30 kB compressed) must not hold up the first paint, and where the visitor saves
 * data or the network is slow the system's fonts do, unless they have no Chinese.
 */
function lateFonts() {
  const connection = /** @type {any} */ (navigator).connection;
  const frugal = connection?.saveData || /2g|3g/.test(connection?.effectiveType ?? '');
  if (frugal && drawsChinese()) return;
  document.head.append(h('link', { rel: 'stylesheet', href: '/vendor/@fontsource-variable/noto-sans-sc/index.css' }));
}

/** Without a Chinese font every character is drawn as the same box. */
function drawsChinese() {
  const picture = (/** @type {string} */ char) => {
    const canvas = h('canvas', { width: 24, height: 24 });
    const context = canvas.getContext('2d');
    context.font = '20px sans-serif';
    context.fillText(char, 0, 20);
    return canvas.toDataURL();
  };
  return picture('学') !== picture('鸟');
}
