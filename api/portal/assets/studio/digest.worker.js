/** MD5 of parts, beside the page: hashing a gigabyte must not make it stutter. A classic script, as hash-wasm is. */
/* global importScripts, hashwasm */
importScripts('/vendor/hash-wasm/dist/md5.umd.min.js');

const made = hashwasm.createMD5();
let last = Promise.resolve(); // the hash has one state: parts take turns

addEventListener('message', ({ data: { id, bytes } }) => {
  const reading = bytes.arrayBuffer(); // while the part before it is hashed
  reading.catch(() => null); // told when its turn comes
  last = last.then(() => hash(reading)).then(
    (digest) => postMessage({ id, digest }),
    () => postMessage({ id, digest: null }),
  );
});

/** Base64 (RFC 1864). @param {Promise<ArrayBuffer>} reading */
async function hash(reading) {
  const md5 = await made;
  const bytes = new Uint8Array(await reading); // before the hash begins: it has one state
  md5.init();
  md5.update(bytes);
  return btoa(String.fromCharCode(...md5.digest('binary')));
}
