/* From a word to the filters that know it: as it stands, in another form, misspelt, or near in the vocabulary. */
(function (root) {
  "use strict";
  const filterscope = (root.filterscope = root.filterscope || {});
  // How well a filter answers: its name, its claim among the words, words further down.
  const RANK = { proved: 6, supported: 5, untested: 3, "cannot be told": 2, unsupported: 1 };
  const { SENSED } = filterscope.store;
  const KINDS = ["exact", "form", "begins", "spelt", "near"];

  /* How a word is compared; most are plain already, and there are hundreds of thousands of them. */
  function plain(text) {
    const whole = String(text);
    return (/^[ -~]*$/.test(whole) ? whole : whole.normalize("NFKC")).trim().toLowerCase();
  }

  const codesOf = new WeakMap();
  /* A layer's words as they are compared, and their codes: Map of arrays. */
  function byWord(layer) {
    if (!codesOf.has(layer)) {
      const codes = new Map();
      layer.texts.forEach((text, code) => {
        const key = plain(text);
        if (codes.has(key)) codes.get(key).push(code);
        else codes.set(key, [code]);
      });
      codesOf.set(layer, codes);
    }
    return codesOf.get(layer);
  }

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
    for (const layer of layers) for (const [key, [code]] of byWord(layer)) if (key && !texts.has(key)) texts.set(key, layer.texts[code]);
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

  /* By code of a layer's texts, which answer it is: its place among the answers, -1 for none; null if no text is one. */
  function ranksOf(layer, answers) {
    const codes = byWord(layer);
    let ranks = null;
    answers.forEach((answer, rank) => {
      for (const code of codes.get(plain(answer.word)) || []) {
        if (ranks === null) ranks = new Int32Array(layer.texts.length).fill(-1);
        ranks[code] = rank;
      }
    });
    return ranks;
  }

  /* Filters of a layer whose name or words are among these answers: hits [{layer, row, word, kind, score}], best first,
     and how many filters have each answer. */
  function filtersOf(layer, answers) {
    const counts = new Int32Array(answers.length);
    const ranks = ranksOf(layer, answers);
    if (ranks === null) return { hits: [], counts };
    const hits = [];
    const last = new Int32Array(answers.length).fill(-1); // row in which an answer was counted
    let row = 0;
    let best = null;
    const consider = (code, worth) => {
      if (code < 0 || ranks[code] < 0) return;
      const rank = ranks[code];
      if (last[rank] !== row) {
        last[rank] = row;
        counts[rank] += 1;
      }
      const { word, kind } = answers[rank];
      const score = (KINDS.length - KINDS.indexOf(kind)) * 1000 - rank + worth * 10 + (RANK[layer.statuses[layer.status[row]]] || 0);
      if (best === null || best.score < score) best = { layer: layer.number, row, word, kind, score };
    };
    for (; row < layer.count; row += 1) {
      best = null;
      consider(layer.name[row], 20);
      for (let k = 0; k < 5; k += 1) {
        consider(layer.words[row * 5 + k], 10 - k);
        consider(layer.apart[row * 5 + k], 9 - k);
      }
      if (layer.sensed) for (let k = 0; k < SENSED; k += 1) consider(layer.sensed[row * SENSED + k], 8 - k);
      if (best !== null) hits.push(best);
    }
    return { hits: hits.sort((a, b) => b.score - a.score || a.row - b.row), counts };
  }

  /* All filters of these layers that answer, and how many have each answer; answers that no filter has are left out. */
  function answer(layers, answers) {
    const found = layers.map((layer) => filtersOf(layer, answers));
    const tallied = answers.map((each, rank) => ({ ...each, count: found.reduce((sum, { counts }) => sum + counts[rank], 0) }));
    return { answers: tallied.filter((each) => each.count > 0), hits: found.flatMap(({ hits }) => hits) };
  }

  filterscope.words = { plain, forms, wordIndex, resolve, filtersOf, answer, KINDS };
  if (typeof module === "object") module.exports = filterscope;
})(globalThis);
