"use strict";
const assert = require("node:assert/strict");
const { test } = require("node:test");
const { geometry } = require("./page.js");
const sheet = { number: 2, across: 16, count: 300 };

test("a photograph's tile is found in its sprite, of which the last is shorter", () => {
  assert.deepEqual(geometry.place(sheet, 17), { sprite: 0, column: 1, line: 1, across: 16, down: 16 });
  assert.deepEqual(geometry.place(sheet, 256), { sprite: 1, column: 0, line: 0, across: 16, down: 3 });
});

test("a tile's background shows that tile", () => {
  const style = geometry.background(sheet, 17);
  assert.equal(style.backgroundImage, "url(photographs/2/0.webp)");
  assert.equal(style.backgroundSize, "1600% 1600%");
  assert.equal(style.backgroundPosition, `${100 / 15}% ${100 / 15}%`);
});

test("a box of a tile fills the place of the whole", () => {
  // The right half of the last tile of a row: as far to the right as the sprite goes.
  const style = geometry.background(sheet, 15, [0.5, 0, 1, 0.5]);
  assert.equal(style.backgroundSize, "3200% 3200%");
  assert.equal(style.backgroundPosition, "100% 0%");
});

test("photographs lie in the middle of their tiles", () => {
  assert.deepEqual(geometry.filled(192, 96, 96), [0, 0.25, 1, 0.75]);
  assert.deepEqual(geometry.filled(90, 90, 96), [0, 0, 1, 1]);
  assert.deepEqual(geometry.filled(0, 0, 96), [0, 0, 1, 1]);
});

test("a network sees the centre of what is resized", () => {
  assert.deepEqual(geometry.seen({ resize: 256, crop: 224 }, 400, 200), [0.5 - 0.4375 / 2, 0.0625, 0.5 + 0.4375 / 2, 0.9375]);
  assert.deepEqual(geometry.seen(null, 400, 200), [0, 0, 1, 1]);
});

test("crops stay within what is seen", () => {
  assert.deepEqual(geometry.around([0, 0, 0.1, 0.1], [0.4, 0.4]), [0, 0, 0.4, 0.4]);
  const middle = geometry.around([0.45, 0.45, 0.55, 0.55], [0.2, 0.4]);
  assert.ok(middle.every((value, k) => Math.abs(value - [0.4, 0.3, 0.6, 0.7][k]) < 1e-12));
  assert.deepEqual(geometry.around([0, 0, 1, 1], [0.2, 0.2]), [0, 0, 1, 1]);
  assert.deepEqual(geometry.within([0.5, 0, 1, 1], [0, 0.5, 1, 1]), [0.5, 0.5, 1, 1]);
});

test("no photograph is shown wider than its place or higher than two screens, whatever its ratio", () => {
  assert.deepEqual([1, 4, 0.5].map(geometry.widest), [560, 760, 280]);
  for (const ratio of [0.02, 0.1, 0.3, 0.7]) assert.ok(geometry.widest(ratio) / ratio <= 1200 + 1e-6);
});
