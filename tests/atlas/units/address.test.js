"use strict";
const assert = require("node:assert/strict");
const { test } = require("node:test");
const { address } = require("./page.js");

test("an address says page, numbers and settings, and is written as it was read", () => {
  const hash = "#/layer/3?map=firing&q=traffic+light&status=proved%2Csilent";
  const read = address.parse(hash);
  assert.deepEqual(read, { page: "layer", numbers: [3], query: { map: "firing", q: "traffic light", status: "proved,silent" } });
  assert.equal(address.write(read.page, read.numbers, read.query), hash);
});

test("without an address one sees the study", () => {
  for (const hash of ["", "#", "#/", undefined]) assert.equal(address.parse(hash).page, "study");
});

test("what leads nowhere is no page", () => {
  for (const hash of ["#/layer", "#/layer/x", "#/layer/1/2", "#/filter/1", "#/constructor", "#/__proto__/1", "#/layer/-1", "#/study/1", "#/filter/1/1e3"]) assert.equal(address.parse(hash).page, null, hash);
});

test("empty settings are left out, odd ones come back", () => {
  assert.equal(address.write("layer", [0], { q: "", sort: undefined, map: null }), "#/layer/0");
  const odd = "a&b=c#d?e/f “ü” \u202e";
  assert.equal(address.parse(address.write("search", [], { q: odd })).query.q, odd);
});

test("links lead to files, whatever their names", () => {
  assert.equal(address.link("../../words/my set/50%#1?.csv"), "../../words/my%20set/50%25%231%3F.csv");
  for (const path of ["javascript:alert(1)", "JaVaScRiPt:1", "https://example.org", "//example.org/x", "/etc/passwd", "\\\\host", "", null, "data:text/html,x"]) assert.equal(address.link(path), null, String(path));
});
