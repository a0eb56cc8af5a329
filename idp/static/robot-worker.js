// Does the work of a robot check where it holds nothing up: ALTCHA's proof of work, version 2.
// It finds the number with which PBKDF2 gives a key that begins as asked.
"use strict";

const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

async function solve({ parameters, signature }) {
  const [nonce, salt] = [bytes(parameters.nonce), bytes(parameters.salt)];
  const password = new Uint8Array(nonce.length + 4);
  password.set(nonce);
  const counted = new DataView(password.buffer, nonce.length);
  const options = { name: "PBKDF2", hash: "SHA-256", salt, iterations: parameters.cost };
  for (let counter = 0; counter <= 0xffffffff; counter += 1) {
    counted.setUint32(0, counter);
    const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
    const derivedKey = hex(await crypto.subtle.deriveBits(options, key, parameters.keyLength * 8));
    if (derivedKey.startsWith(parameters.keyPrefix)) {
      return btoa(JSON.stringify({ challenge: { parameters, signature }, solution: { counter, derivedKey } }));
    }
  }
  throw new Error("no number will do");
}

addEventListener("message", ({ data }) => {
  solve(data).then(
    (payload) => postMessage({ payload }),
    () => postMessage({ payload: null }), // such as on a page without HTTPS, where browsers don't compute
  );
});
