/** Highlights of a search: escaped HTML whose only markup is `<mark>`. Read here as text, never as HTML. */
import { h } from './dom.js';

const ENTITIES = /** @type {Record<string, string>} */ ({ '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#x27;': "'", '&amp;': '&' });

/** @param {string} text */
const unescaped = (text) => text.replace(/&(?:lt|gt|quot|#x27|amp);/g, (entity) => ENTITIES[entity]);

/** @param {string} html @returns {Node[]} */
export const marked = (html) =>
  html.split(/<\/?mark>/).map((part, index) => (index % 2 ? h('mark', {}, unescaped(part)) : document.createTextNode(unescaped(part))));

/**
 * The highlight of one field, or else the plain text.
 * @param {import('./types.js').Hit} hit @param {string} field @param {string} text
 */
export function markedField(hit, field, text) {
  const found = hit.highlights.find((one) => one.field === field);
  // A highlight of a title may be in another language than the title shown: then the title stays itself.
  const shown = found && found.html.replace(/<\/?mark>/g, '') === escaped(text);
  return shown ? marked(found.html) : [document.createTextNode(text)];
}

/** @param {string} text */
const escaped = (text) => Object.entries(ENTITIES).reverse().reduce((all, [entity, sign]) => all.replaceAll(sign, entity), text);
