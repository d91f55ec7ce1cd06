/** MD5 of parts, beside the page: hashing a gigabyte must not make it stutter. A classic script, as hash-wasm is. */
/* global importScripts, hashwasm */
importScripts('/vendor/hash-wasm/dist/md5.umd.min.js');

const PIECE = 1024 * 1024; // bytes read at once, always into the same memory: fresh memory costs as much as the reading
const made = hashwasm.createMD5();
let last = Promise.resolve(); // the hash has one state: parts take turns
let memory = new ArrayBuffer(PIECE);

addEventListener('message', ({ data: { id, bytes } }) => {
  last = last.then(() => hash(bytes)).then(
    (digest) => postMessage({ id, digest }),
    () => postMessage({ id, digest: null }),
  );
});

/** Base64 (RFC 1864). @param {Blob} bytes */
async function hash(bytes) {
  const md5 = await made;
  md5.init();
  const reader = readerOf(bytes);
  if (reader) await pour(reader, (/** @type {Uint8Array} */ piece) => md5.update(piece));
  else md5.update(new Uint8Array(await bytes.arrayBuffer()));
  return btoa(String.fromCharCode(...md5.digest('binary')));
}

/** One that reads into memory it is given; null in browsers whose files are no byte streams. @param {Blob} bytes */
function readerOf(bytes) {
  try {
    return bytes.stream().getReader({ mode: 'byob' });
  } catch {
    return null;
  }
}

/** @param {ReadableStreamBYOBReader} reader @param {(piece: Uint8Array) => void} take */
async function pour(reader, take) {
  if (memory.byteLength === 0) memory = new ArrayBuffer(PIECE); // lost with a read that failed
  for (;;) {
    const { value, done } = await reader.read(new Uint8Array(memory));
    if (value) memory = value.buffer; // it was lent, and comes back as another object
    if (done) return;
    take(value);
  }
}
