// Runs before the first paint, so that neither the theme nor the language flashes: hence a classic
// script of a few hundred bytes, the only one that blocks.
(() => {
  const stored = (/** @type {string} */ key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // storage is switched off: the browser's own preferences decide
    }
  };
  const wanted = navigator.languages || [navigator.language || 'en'];
  const known = wanted.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => tag === 'zh' || tag === 'en');
  const language = stored('academy.language') || known || 'en';
  const root = document.documentElement;
  root.lang = language === 'zh' ? 'zh-Hans' : 'en';
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const paint = () => {
    const chosen = stored('academy.theme');
    root.dataset.theme = chosen === 'light' || chosen === 'dark' ? chosen : dark.matches ? 'dark' : 'light';
  };
  paint();
  dark.addEventListener('change', paint);
})();
