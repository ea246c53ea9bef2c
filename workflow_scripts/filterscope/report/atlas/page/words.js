/* From a word to the filters that know it: as it stands, in another form, misspelt, or near in the vocabulary. */
(function (root) {
  "use strict";
  const filterscope = (root.filterscope = root.filterscope || {});
  // How well a filter answers: its name, its claim among the words, words further down.
  const RANK = { proved: 6, supported: 5, untested: 3, "cannot be told": 2, unsupported: 1 };
  const KINDS = ["exact", "form", "begins", "spelt", "near"];

  const plain = (text) => String(text).normalize("NFKC").trim().toLowerCase();

  /* Forms that English gives a word: enough for plurals, not a grammar. */
  function forms(word) {
    const result = new Set([word]);
    if (word.endsWith("ies") && word.length > 4) result.add(word.slice(0, -3) + "y");
    if (word.endsWith("ves") && word.length > 4) result.add(word.slice(0, -3) + "f").add(word.slice(0, -3) + "fe");
    if (/(s|x|z|ch|sh)es$/.test(word)) result.add(word.slice(0, -2));
    if (word.endsWith("s") && !word.endsWith("ss")) result.add(word.slice(0, -1));
    for (const base of [...result]) {
      result.add(base + "s");
      if (/(s|x|z|ch|sh)$/.test(base)) result.add(base + "es");
      if (/[^aeiou]y$/.test(base)) result.add(base.slice(0, -1) + "ies");
    }
    return result;
  }

  /* Words of these layers' filters, each once, and an index that finds them by their beginning or misspelt. */
  function wordIndex(layers, MiniSearch) {
    const texts = new Map(); // how a word is searched: how it is written
    for (const layer of layers) for (const text of layer.texts) if (text && !texts.has(plain(text))) texts.set(plain(text), text);
    let search = null;
    const index = () => {
      if (search === null && MiniSearch) {
        search = new MiniSearch({ fields: ["word"], idField: "word", processTerm: (term) => plain(term).slice(0, 60) });
        search.addAll([...texts.keys()].map((word) => ({ word })));
      }
      return search;
    };
    return { texts, index };
  }

  /* Words that answer a query: [{word, kind, near?}], best kinds first. `near`: words/V of the vocabularies. */
  function resolve(query, words, vocabularies) {
    const asked = plain(query);
    if (asked === "") return [];
    const found = new Map();
    const add = (key, kind, cosine) => {
      const word = words.texts.get(key);
      if (word === undefined) return;
      const old = found.get(key);
      if (!old || KINDS.indexOf(kind) < KINDS.indexOf(old.kind)) found.set(key, { word, kind, cosine });
    };
    add(asked, "exact");
    const others = forms(asked);
    for (const form of others) add(form, "form");
    const search = words.index();
    if (search) {
      const options = { prefix: (term) => term.length >= 2, combineWith: "AND" };
      for (const hit of search.search(asked, options).slice(0, 40)) {
        add(hit.id, hit.id.startsWith(asked) || asked.includes(" ") ? "begins" : "spelt");
      }
      if (found.size === 0 && asked.length >= 4) for (const hit of search.search(asked, { fuzzy: 0.25, combineWith: "AND" }).slice(0, 5)) add(hit.id, "spelt");
    }
    for (const vocabulary of vocabularies || []) {
      for (const form of [asked, ...others]) {
        const row = place(vocabulary, form);
        if (row < 0) continue;
        (vocabulary.near[row] || []).forEach((code, k) => {
          add(plain(vocabulary.words[code]), "near", vocabulary.cosine ? vocabulary.cosine[row][k] : undefined);
        });
        break;
      }
    }
    return [...found.values()].sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || (b.cosine || 0) - (a.cosine || 0));
  }

  const places = new WeakMap();
  /* Row of a word in a vocabulary, or -1. */
  function place(vocabulary, word) {
    if (!places.has(vocabulary)) places.set(vocabulary, new Map(vocabulary.words.map((text, row) => [plain(text), row])));
    const row = places.get(vocabulary).get(word);
    return row === undefined ? -1 : row;
  }

  /* Rows of a layer whose name or words are among these answers: [{layer, row, word, kind, score}], best first. */
  function filtersOf(layer, answers) {
    const kinds = new Map(answers.map((answer, rank) => [plain(answer.word), { answer, rank }]));
    const codes = new Map();
    layer.texts.forEach((text, code) => {
      const hit = kinds.get(plain(text));
      if (hit) codes.set(code, hit);
    });
    if (codes.size === 0) return [];
    const best = new Map();
    const consider = (row, code, worth) => {
      const hit = codes.get(code);
      const kind = KINDS.length - KINDS.indexOf(hit.answer.kind);
      const status = RANK[layer.statuses[layer.status[row]]] || 0;
      const score = kind * 1000 - hit.rank + worth * 10 + status;
      const old = best.get(row);
      if (!old || old.score < score) best.set(row, { layer: layer.number, row, word: hit.answer.word, kind: hit.answer.kind, score });
    };
    for (let row = 0; row < layer.count; row += 1) {
      if (codes.has(layer.name[row])) consider(row, layer.name[row], 20);
      for (let k = 0; k < 5; k += 1) {
        if (codes.has(layer.words[row * 5 + k])) consider(row, layer.words[row * 5 + k], 10 - k);
        if (codes.has(layer.apart[row * 5 + k])) consider(row, layer.apart[row * 5 + k], 9 - k);
      }
    }
    return [...best.values()].sort((a, b) => b.score - a.score || a.row - b.row);
  }

  /* How many filters bear each word in these layers, as name or among their words. */
  function tally(layers, answers) {
    const counts = new Map(answers.map((answer) => [plain(answer.word), 0]));
    for (const layer of layers) {
      const codes = new Map();
      layer.texts.forEach((text, code) => counts.has(plain(text)) && codes.set(code, plain(text)));
      if (codes.size === 0) continue;
      for (let row = 0; row < layer.count; row += 1) {
        const seen = new Set();
        if (codes.has(layer.name[row])) seen.add(codes.get(layer.name[row]));
        for (let k = row * 5; k < row * 5 + 5; k += 1) {
          if (codes.has(layer.words[k])) seen.add(codes.get(layer.words[k]));
          if (codes.has(layer.apart[k])) seen.add(codes.get(layer.apart[k]));
        }
        for (const word of seen) counts.set(word, counts.get(word) + 1);
      }
    }
    return answers.map((answer) => ({ ...answer, count: counts.get(plain(answer.word)) }));
  }

  filterscope.words = { plain, forms, wordIndex, resolve, filtersOf, tally, KINDS };
  if (typeof module === "object") module.exports = filterscope;
})(globalThis);
