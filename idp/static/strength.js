// How hard a password is to guess, in bits: the same function as accounts/password_strength.py, number by number.
// A module, loaded with the list of common words once a new password is typed.

const TYPED = 1025;
const LONGEST = 256;
const [LETTER, DIGIT, SIGN, OTHER] = [4, 3, 4, 5];
const [SIGN_AGAIN, OWN, AGAIN, RUN, WALK, TURN, YEAR, DATE] = [1, 1, 3, 4, 4, 2, 6, 14];
const SHORTEST_PIECE = 3;
const LONGEST_WORD = 24;
const FEWEST_DIFFERENT = 5;
const LONGEST_PERIOD = 8;
const [MEDIUM_BITS, STRONG_BITS] = [30, 50];
export const [WEAK, MEDIUM, STRONG] = [0, 1, 2];

const LOOKALIKES = ["aaeoiisst", "aaeollsst"].map(
  (letters) => new Map([..."@4301!$57"].map((sign, index) => [sign, letters[index]])),
);
const KEYS = new Map();
["1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./"].forEach((keys, row) => {
  [...keys].forEach((key, column) => KEYS.set(key, [row, column]));
});
const NEIGHBOURS = new Set(["0,1", "0,-1", "1,0", "1,-1", "-1,0", "-1,1"]);
const DATED = [
  [/^(?:19|20)[0-9]{2}/, YEAR],
  [
    /^(?:[0-9]{1,2}([/. -]?)[0-9]{1,2}\1(?:19|20)[0-9]{2}|(?:19|20)[0-9]{2}([/. -]?)[0-9]{1,2}\2[0-9]{1,2}|[0-9]{1,2}([/. -])[0-9]{1,2}\3[0-9]{2})/,
    DATE,
  ],
];

// The list as the server sends it: line by line the words of 1 bit, of 2 bits and so on.
export function readWords(text) {
  const common = new Map();
  text.split("\n").forEach((line, index) => line.split(" ").forEach((word) => word && common.set(word, index + 1)));
  return common;
}

export function rate(password, common, own) {
  const folded = fold(password);
  const found = estimate(folded, common, own);
  if (found < MEDIUM_BITS || repeats(folded) || isBuiltOn(folded, common, own)) return WEAK;
  return found < STRONG_BITS ? MEDIUM : STRONG;
}

// Folded texts are lists of characters as people count them, not of JavaScript's halves.
export function fold(text) {
  const apart = [...[...text].slice(0, TYPED).join("").normalize("NFKD")];
  const small = apart.filter((one) => !/^\p{M}/u.test(one)).map((one) => one.toLowerCase());
  return [...small.join("")].slice(0, LONGEST);
}

function repeats(folded) {
  const text = folded.join("");
  const found = (text + text).indexOf(text, 1);
  const period = [...(text + text).slice(0, found)].length;
  return new Set(folded).size < FEWEST_DIFFERENT || period < Math.min(folded.length, LONGEST_PERIOD);
}

export function holds(folded, own) {
  const spellings = [folded, ...meanings(folded)].map((one) => squeeze(one).join(""));
  return [...own].some((word) => spellings.some((spelling) => spelling.includes(word)));
}

export function isBuiltOn(folded, common, own) {
  return holds(folded, own) && estimate(squeeze(folded), common, own) < STRONG_BITS;
}

function squeeze(folded) {
  return folded.filter((one) => /^[\p{L}\p{N}]/u.test(one));
}

function meanings(written) {
  return LOOKALIKES.map((table) => written.map((one) => table.get(one) ?? one));
}

export function estimate(folded, common, own) {
  const costs = [0, ...Array(folded.length).fill(OTHER * (folded.length + 1))];
  const earlier = findEarlier(folded);
  folded.forEach((_, start) => {
    const offer = (end, needed) => {
      costs[end] = Math.min(costs[end], costs[start] + needed);
    };
    offer(start + 1, cost(folded, start));
    for (let end = start + SHORTEST_PIECE; end <= start + earlier[start]; end += 1) offer(end, AGAIN);
    offerWords(folded, start, common, own, offer);
    offerRuns(folded, start, offer);
    offerWalks(folded, start, offer);
    const ahead = folded.slice(start, start + LONGEST_WORD).join("");
    DATED.forEach(([pattern, needed]) => {
      const found = pattern.exec(ahead);
      if (found) offer(start + found[0].length, needed);
    });
  });
  return costs.at(-1);
}

function cost(folded, position) {
  const one = folded[position];
  if (/^[a-z]$/.test(one)) return LETTER;
  if (/^[0-9]$/.test(one)) return DIGIT;
  if (one.codePointAt(0) > 126) return OTHER;
  return folded.indexOf(one) < position ? SIGN_AGAIN : SIGN;
}

function offerWords(folded, start, common, own, offer) {
  const last = Math.min(folded.length, start + LONGEST_WORD);
  for (let end = start + 2; end <= last; end += 1) {
    const piece = folded.slice(start, end);
    const written = piece.join("");
    const meant = meanings(piece).map((one) => one.join(""));
    const backwards = piece.reverse().join("");
    [[written, 0], [backwards, 1], ...meant.map((one) => [one, 1])].forEach(([word, more]) => {
      if (common.has(word)) offer(end, common.get(word) + more);
    });
    if ([written, ...meant].some((one) => own.has(one))) offer(end, OWN);
  }
  own.forEach((word) => {
    const size = [...word].length;
    if (size > LONGEST_WORD && folded.slice(start, start + size).join("") === word) offer(start + size, OWN);
  });
}

function offerRuns(folded, start, offer) {
  [1, -1].forEach((step) => {
    let end = start + 1;
    while (end < folded.length && folded[end].codePointAt(0) - folded[end - 1].codePointAt(0) === step) {
      end += 1;
      if (end - start >= SHORTEST_PIECE) offer(end, RUN);
    }
  });
}

function offerWalks(folded, start, offer) {
  let [end, turns, before] = [start + 1, 0, null];
  while (end < folded.length && KEYS.has(folded[end - 1]) && KEYS.has(folded[end])) {
    const [[row, column], [nextRow, nextColumn]] = [KEYS.get(folded[end - 1]), KEYS.get(folded[end])];
    const step = `${nextRow - row},${nextColumn - column}`;
    if (!NEIGHBOURS.has(step)) return;
    if (before !== null && step !== before) turns += 1;
    before = step;
    end += 1;
    if (end - start >= SHORTEST_PIECE) offer(end, WALK + TURN * turns);
  }
}

function findEarlier(folded) {
  const size = folded.length;
  const longest = Array(size).fill(0);
  let after = Array(size + 1).fill(0);
  for (let first = size - 1; first >= 0; first -= 1) {
    const here = Array(size + 1).fill(0);
    for (let second = size - 1; second > first; second -= 1) {
      if (folded[first] === folded[second]) {
        here[second] = after[second + 1] + 1;
        longest[second] = Math.max(longest[second], here[second]);
      }
    }
    after = here;
  }
  return longest;
}
