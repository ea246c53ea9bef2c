/* Numbers as people read them, and tables as CSV. */
(function (root) {
  "use strict";
  const filterscope = (root.filterscope = root.filterscope || {});

  const isMissing = (value) => value === null || value === undefined || Number.isNaN(value);

  /* Three significant digits; an en dash where nothing was measured. */
  function show(value, digits) {
    if (isMissing(value)) return "–";
    if (Number.isInteger(value)) return value.toLocaleString("en").replace("-", "−");
    const size = Math.abs(value);
    if (size >= 1e6) return value.toExponential(2).replace("-", "−").replace("e+", "e");
    if (size !== 0 && size < 0.001) {
      if (size >= 0.0001) return String(Number(value.toPrecision(2))).replace("-", "−");
      return value.toExponential(1).replace(/-/g, "−");
    }
    const places = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : digits === undefined ? 3 : digits;
    return value.toFixed(places).replace("-", "−");
  }

  const share = (value) => (isMissing(value) ? "–" : (100 * value).toFixed(Math.abs(value) < 0.1 && value !== 0 ? 1 : 0) + " %");

  const count = (number, one, many) => show(number) + " " + (number === 1 ? one : many || one + "s");

  function interval(low, high) {
    return isMissing(low) || isMissing(high) ? "" : "[" + show(low) + ", " + show(high) + "]";
  }

  /* Round steps over [low, high]: at most some `most` of them. */
  function ticks(low, high, most) {
    if (!(high > low)) return [low];
    const raw = (high - low) / Math.max(1, most || 5);
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = power * [1, 2, 5, 10].find((factor) => factor * power >= raw * 0.999);
    const result = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k += 1) result.push(Number((k * step).toPrecision(12)));
    return result;
  }

  /* Powers of ten within [low, high], both positive. */
  function decades(low, high) {
    const result = [];
    for (let k = Math.ceil(Math.log10(low) - 1e-9); k <= Math.floor(Math.log10(high) + 1e-9); k += 1) result.push(10 ** k);
    return result.length ? result : [low, high];
  }

  /* A field that a spreadsheet shows and does not run. */
  function field(value) {
    if (isMissing(value)) return "";
    if (typeof value === "number" || typeof value === "boolean") return String(value);
    const text = /^[=+\-@\t\r]/.test(value) ? "'" + value : String(value);
    return '"' + text.replace(/"/g, '""') + '"';
  }

  const csv = (columns, rows) => [columns, ...rows].map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";

  /* Why there is no score: a filter whose masks were looked at may claim nothing. */
  function unscored(status, claim) {
    const looked = status === "unsupported" && !claim;
    return looked ? "It claims nothing: it follows no category’s masks more than the layer’s other filters do." : "No mask could test it.";
  }

  filterscope.numbers = { isMissing, show, share, count, interval, ticks, decades, csv, unscored };
  if (typeof module === "object") module.exports = filterscope;
})(globalThis);
