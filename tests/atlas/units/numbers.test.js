"use strict";
const assert = require("node:assert/strict");
const { test } = require("node:test");
const { numbers } = require("./page.js");

test("numbers have three digits that tell, and a dash where there is none", () => {
  assert.equal(numbers.show(0.12345), "0.123");
  assert.equal(numbers.show(12.345), "12.3");
  assert.equal(numbers.show(123.45), "123");
  assert.equal(numbers.show(204800), "204,800");
  assert.equal(numbers.show(-0.5), "−0.500");
  assert.equal(numbers.show(0.0009), "0.0009");
  assert.equal(numbers.show(0.00000123), "1.2e−6");
  assert.equal(numbers.show(0), "0");
  for (const missing of [null, undefined, NaN]) assert.equal(numbers.show(missing), "–");
  assert.equal(numbers.share(0.5), "50 %");
  assert.equal(numbers.share(0.034), "3.4 %");
  assert.equal(numbers.interval(0.1, null), "");
});

test("steps of an axis are round and within it", () => {
  assert.deepEqual(numbers.ticks(0, 1, 5), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(numbers.ticks(-0.3, 0.3, 5), [-0.2, 0, 0.2]);
  assert.deepEqual(numbers.ticks(3, 3, 5), [3]);
  assert.deepEqual(numbers.decades(0.05, 200), [0.1, 1, 10, 100]);
});

test("fields of a CSV are quoted, and none is a formula", () => {
  const text = numbers.csv(["a", "b"], [["x, \"y\"", null], ["=1+1", 0.5], ["-2", -2], ["line\nbreak", true]]);
  assert.equal(text, '"a","b"\r\n"x, ""y""",\r\n"\'=1+1",0.5\r\n"\'-2",-2\r\n"line\nbreak",true\r\n');
});

test("a filter that claims nothing is not said to lack masks", () => {
  assert.match(numbers.unscored("unsupported", null), /^It claims nothing/);
  assert.equal(numbers.unscored("untested", "car"), "No mask could test it.");
  assert.equal(numbers.unscored("silent", null), "No mask could test it.");
});

test("whole numbers have the same minus as others", () => {
  assert.equal(numbers.show(-1), "−1");
  assert.equal(numbers.interval(-1, -0.5), "[−1, −0.500]");
});
