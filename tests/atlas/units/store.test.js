"use strict";
const assert = require("node:assert/strict");
const { test } = require("node:test");
const { store, page } = require("./page.js");

const pack = (type, codes, rest) => {
  const raw = type === "u8" ? Uint8Array.from(codes) : type === "u16" ? new Uint8Array(Uint16Array.from(codes).buffer) : new Uint8Array(Uint32Array.from(codes).buffer);
  return { type, base64: Buffer.from(raw).toString("base64"), from: 0, step: 1, ...rest };
};

test("packed codes come out as they went in, the largest of their kind as none", () => {
  assert.deepEqual([...store.whole(pack("u8", [0, 254, 255]), 3)], [0, 254, -1]);
  assert.deepEqual([...store.whole(pack("u16", [258, 65535, 7]), 3)], [258, -1, 7]);
  assert.deepEqual([...store.whole(pack("u32", [70000, 4294967295]), 2)], [70000, -1]);
});

test("packed numbers are between their least and largest", () => {
  const values = store.real(pack("u16", [0, 65534, 65535], { from: -1, step: 2 / 65534 }), 3);
  assert.equal(values[0], -1);
  assert.ok(Math.abs(values[1] - 1) < 1e-6);
  assert.ok(Number.isNaN(values[2]));
});

test("plain columns are read, too, with null for what is missing", () => {
  assert.deepEqual([...store.whole([3, null, 1], 3)], [3, -1, 1]);
  assert.deepEqual([...store.whole([[1, 2], [3]], 2, 5)], [1, 2, -1, -1, -1, 3, -1, -1, -1, -1]);
  assert.ok(Number.isNaN(store.real([0.5, null], 2)[1]));
});

test("a column that is left out is missing everywhere", () => {
  const layer = store.unpackLayer({ number: 4, count: 2, statuses: ["proved"], texts: ["a", "b"], columns: { status: pack("u8", [0, 0]), words: pack("u16", [1, 0, 65535, 65535, 65535, 0, 65535, 65535, 65535, 65535]), novel: pack("u16", [1, 0]) } });
  assert.equal(layer.auprc, null);
  assert.deepEqual([...layer.name], [-1, -1]);
  assert.deepEqual([...layer.filter], [0, 1]);
  assert.deepEqual(store.wordsOf(layer, 0), [{ word: "b", isNew: true }, { word: "a", isNew: false }]);
  assert.equal(layer.row(7), -1);
});

test("keys that are no part of an atlas load nothing", async () => {
  await assert.rejects(store.need("../secret"), /nothing named/);
  await assert.rejects(store.need("layer/1.5"), /nothing named/);
});

test("an atlas of another format is refused, and one without a study", () => {
  assert.throws(() => store.study(), /data\/study\.js is missing/);
  page.receive("study", { format: 2 });
  assert.throws(() => store.study(), /format 1; data\/study\.js has format 2/);
});

test("only so many files of details are held", () => {
  for (let file = 0; file < 30; file += 1) page.receive("details/0/" + file, { filters: {} });
  assert.equal(store.has("details/0/0"), false);
  assert.equal(store.has("details/0/29"), true);
});
