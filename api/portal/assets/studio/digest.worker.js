/** MD5 of parts, beside the page: hashing a gigabyte must not make it stutter. A classic script, as hash-wasm is. */
/* global importScripts, hashwasm */
importScripts('/vendor/hash-wasm/dist/md5.umd.min.js');

const made = hashwasm.createMD5();
let last = Promise.resolve(); // the hash has one state: parts take turns

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
  md5.update(new Uint8Array(await bytes.arrayBuffer()));
  return btoa(String.fromCharCode(...md5.digest('binary')));
}
