"use strict";
const assert = require("node:assert/strict");
const { test } = require("node:test");
const { words, listing, store, MiniSearch } = require("./page.js");

const TEXTS = ["wheel", "car", "traffic light", "Berry", "glass", "knife", "constructor"];
function layer(number, rows) {
  const statuses = ["proved", "supported", "unsupported", "silent"];
  const column = (key) => rows.map((row) => row[key]);
  return store.unpackLayer({
    number, count: rows.length, statuses, texts: TEXTS,
    columns: { filter: rows.map((_, k) => 10 + k), status: column("status"), name: column("name"), words: column("words"), apart: rows.map(() => []), auprc: column("auprc") },
  });
}
const LAYER = layer(0, [
  { status: 1, name: 1, words: [1, 0], auprc: 0.4 },
  { status: 0, name: 0, words: [0, 2], auprc: 0.9 },
  { status: 2, name: null, words: [0, 4], auprc: 0.1 },
  { status: 3, name: null, words: [], auprc: null },
  { status: 0, name: 2, words: [2], auprc: 0.7 },
]);
const INDEX = words.wordIndex([LAYER], MiniSearch);
const found = (query, vocabularies) => words.resolve(query, INDEX, vocabularies).map(({ word, kind }) => [word, kind]);

test("a word is found as it stands, in any case, and in another form", () => {
  assert.deepEqual(found("wheel"), [["wheel", "exact"]]);
  assert.deepEqual(found(" BERRY "), [["Berry", "exact"]]);
  assert.deepEqual(found("wheels"), [["wheel", "form"]]);
  assert.deepEqual(found("berries"), [["Berry", "form"]]);
  assert.deepEqual(found("glasses"), [["glass", "form"]]);
  assert.deepEqual(found("knives"), [["knife", "form"]]);
});

test("a word is found by its beginning, by one of its words, and misspelt", () => {
  assert.deepEqual(found("traf"), [["traffic light", "begins"]]);
  assert.deepEqual(found("light"), [["traffic light", "spelt"]]);
  assert.deepEqual(found("wheal"), [["wheel", "spelt"]]);
  assert.deepEqual(found(""), []);
  assert.deepEqual(found("__proto__"), []);
  assert.deepEqual(found("constructor"), [["constructor", "exact"]]);
});

test("a word that no filter has leads to those near to it in the vocabulary", () => {
  const vocabulary = { words: ["tyre", "wheel", "car"], near: [[1, 2], [], []], cosine: [[0.8, 0.6], [], []] };
  assert.deepEqual(found("tyre", [vocabulary]), [["wheel", "near"], ["car", "near"]]);
  assert.deepEqual(found("tyres", [vocabulary]), [["wheel", "near"], ["car", "near"]]);
});

test("filters that bear the word as their name come first, then those with it among their words", () => {
  const found = words.answer([LAYER], words.resolve("wheel", INDEX, []));
  assert.deepEqual(found.hits.map((hit) => hit.row), [1, 2, 0]);
  assert.deepEqual(found.answers.map((each) => [each.word, each.count]), [["wheel", 3]]);
  assert.deepEqual(words.answer([LAYER], words.resolve("knife", INDEX, [])), { answers: [], hits: [] });
});

test("a layer is sorted with what is missing at the end, and filtered by status", () => {
  assert.deepEqual(listing.rows(LAYER, { sort: "evidence" }), [1, 4, 0, 2, 3]);
  assert.deepEqual(listing.rows(LAYER, { sort: "name" }), [0, 4, 1, 2, 3]);
  assert.deepEqual(listing.rows(LAYER, { statuses: ["proved", "silent"] }), [1, 3, 4]);
  assert.deepEqual(listing.rows(LAYER, { found: [{ row: 4 }, { row: 0 }] }), [4, 0]);
  assert.deepEqual(listing.rows(LAYER, { found: [{ row: 4 }, { row: 0 }], sort: "number" }), [0, 4]);
  assert.deepEqual(listing.rows(LAYER, { sort: "nonsense" }), [0, 1, 2, 3, 4]);
  assert.deepEqual(listing.counts(LAYER), [["proved", 2], ["supported", 1], ["unsupported", 1], ["silent", 1]]);
});

test("the chosen filters become rows", () => {
  const table = listing.table(LAYER, [1, 3], store.wordsOf, store.sensedOf);
  assert.deepEqual(table.body[0].slice(0, 6), [11, "proved", "wheel", "wheel, traffic light", "", 0.9]);
  assert.deepEqual(table.body[1].slice(0, 6), [13, "silent", null, "", "", null]);
});

test("words that tell a filter's senses apart lead to it, and are handed over with it", () => {
  const sensed = store.unpackLayer({
    number: 2, count: 2, statuses: ["unexplained"], texts: ["green", "red"],
    columns: { status: [0, 0], senses: [2, 1], sensed: [[0, 1], []] },
  });
  const index = words.wordIndex([sensed], MiniSearch);
  assert.deepEqual(words.answer([sensed], words.resolve("red", index, [])).hits.map(({ row, word }) => [row, word]), [[0, "red"]]);
  assert.deepEqual([store.sensedOf(sensed, 0), store.sensedOf(sensed, 1), store.sensedOf(LAYER, 0)], [["green", "red"], [], []]);
  const { columns, body } = listing.table(sensed, [0], store.wordsOf, store.sensedOf);
  assert.equal(body[0][columns.indexOf("words_of_senses")], "green, red");
});

test("names of two layers are of both, lost or gained", () => {
  const other = layer(1, [{ status: 0, name: 0, words: [0], auprc: 0.5 }, { status: 0, name: 5, words: [5], auprc: 0.5 }]);
  const compared = listing.compareNames(LAYER, other);
  assert.deepEqual(compared.both, [["wheel", [1], [0]]]);
  assert.deepEqual(compared.lost.map(([name]) => name), ["car", "traffic light"]);
  assert.deepEqual(compared.gained, [["knife", [1]]]);
});

test("filters of the same number kept, changed, lost or gained their names; what fires least alike comes first", () => {
  const other = layer(1, [
    { status: 1, name: 1, words: [] },
    { status: 0, name: 5, words: [] },
    { status: 0, name: 3, words: [] },
    { status: 3, name: null, words: [] },
  ]);
  const compared = listing.compareFilters(LAYER, other, [0.9, 0.2, null, 0.5, 0.1]);
  assert.deepEqual(compared.map(({ a, b, kind, by }) => [a, b, kind, by]), [[1, 1, "renamed", 0.2], [2, 2, "gained", null], [0, 0, "kept", 0.9], [3, 3, "none", 0.5]]);
  assert.deepEqual(listing.compareFilters(other, LAYER).map(({ a, kind }) => [a, kind]), [[1, "renamed"], [2, "lost"], [0, "kept"], [3, "none"]]);
  const same = listing.compareFilters(LAYER, LAYER, [0.9, 0.2, 0.4, 0.3, 0.1]);
  assert.deepEqual(same.filter(({ kind }) => kind === "kept").map(({ a }) => a), [4, 1, 0]);
});
