/** What this browser remembers. Storage may be switched off or full: then nothing is kept, nothing breaks. */

/** @param {string} key @returns {any} the value, or null */
export function recall(key) {
  try {
    const text = localStorage.getItem(key);
    if (text === null) return null;
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  } catch {
    return null;
  }
}

/** @param {string} key @param {unknown} value strings are kept as they are; null forgets */
export function remember(key, value) {
  try {
    if (value === null || value === undefined) localStorage.removeItem(key);
    else localStorage.setItem(key, typeof value === 'string' ? value : JSON.stringify(value));
  } catch {
    // as said above
  }
}
