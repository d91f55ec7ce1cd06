/** Digests of parts, so that the store refuses what a network or a disk has changed on the way. */

/** @type {Worker | null} */
let worker = null;
let broken = false;
let count = 0;
/** @type {Map<number, (digest: string | null) => void>} */
const waiting = new Map();

/** Starts what digests need, so that the first part need not wait for it. */
export function prepareDigests() {
  if (!broken) worker ??= start();
}

/**
 * Base64 of the MD5, as `Content-MD5` has it; null where this browser cannot make one: the part is then
 * sent without, and its size is checked all the same.
 * @param {Blob} bytes
 * @returns {Promise<string | null>}
 */
export function digest(bytes) {
  prepareDigests();
  if (broken) return Promise.resolve(null);
  count += 1;
  const id = count;
  return new Promise((resolve) => {
    waiting.set(id, resolve);
    worker?.postMessage({ id, bytes });
  });
}

function start() {
  const made = new Worker('/assets/studio/digest.worker.js');
  made.addEventListener('message', ({ data }) => {
    waiting.get(data.id)?.(data.digest);
    waiting.delete(data.id);
  });
  made.addEventListener('error', () => {
    broken = true;
    for (const resolve of waiting.values()) resolve(null);
    waiting.clear();
  });
  return made;
}
