/* Which filters of a layer are shown, and in which order. */
(function (root) {
  "use strict";
  const filterscope = (root.filterscope = root.filterscope || {});
  const ORDERS = {
    number: { label: "number", of: null },
    evidence: { label: "evidence (AUPRC)", of: "auprc" },
    cause: { label: "effect of its objects", of: "effect" },
    distinct: { label: "distinctiveness", of: "distinct" },
    strength: { label: "strength", of: "strength" },
    senses: { label: "number of senses", of: "senses" },
    name: { label: "name", of: "name" },
    likeness: { label: "answer to the search", of: null },
  };

  /* Rows of a layer, sorted. `found`: rows that answer a search, best first, or null. */
  function rows(layer, { sort, statuses, found }) {
    const wanted = statuses && statuses.length ? new Set(statuses) : null;
    const base = found ? found.map((hit) => hit.row) : Array.from({ length: layer.count }, (_, row) => row);
    const kept = wanted ? base.filter((row) => wanted.has(layer.statuses[layer.status[row]])) : base;
    const key = sort || (found ? "likeness" : "number");
    if (key === "likeness" && found) return kept;
    if (key === "name") {
      const text = (row) => (layer.name[row] < 0 ? null : layer.texts[layer.name[row]]);
      return kept.sort((a, b) => {
        const [s, t] = [text(a), text(b)];
        if (s === null || t === null) return (s === null) - (t === null) || a - b;
        return s.localeCompare(t, "en") || a - b;
      });
    }
    const values = ORDERS[key] && ORDERS[key].of ? layer[ORDERS[key].of] : null;
    if (!values) return kept.sort((a, b) => layer.filter[a] - layer.filter[b]);
    return kept.sort((a, b) => {
      const [s, t] = [values[a], values[b]];
      const [noneS, noneT] = [Number.isNaN(s), Number.isNaN(t)];
      if (noneS || noneT) return noneS - noneT || a - b;
      return t - s || a - b;
    });
  }

  /* How many filters of a layer have each status: [[status, n]], in the order of the statuses. */
  function counts(layer) {
    const result = layer.statuses.map((status) => [status, 0]);
    for (const code of layer.status) if (code >= 0) result[code][1] += 1;
    return result.filter(([, n]) => n > 0);
  }

  /* The chosen rows as a table for other programs: columns and rows. */
  function table(layer, chosen, wordsOf, sensedOf) {
    const value = (values, row) => (values && !Number.isNaN(values[row]) ? Number(values[row].toPrecision(4)) : null);
    const columns = ["filter", "status", "name", "words", "apart", "auprc", "null", "cause_effect", "strength", "distinctiveness", "senses", "words_of_senses"];
    const list = (row, column) => wordsOf(layer, row, column).map(({ word, isNew }) => word + (isNew ? "*" : "")).join(", ");
    const body = chosen.map((row) => [
      layer.filter[row],
      layer.statuses[layer.status[row]],
      layer.name[row] < 0 ? null : layer.texts[layer.name[row]],
      list(row),
      list(row, "apart"),
      value(layer.auprc, row),
      value(layer.null, row),
      value(layer.effect, row),
      value(layer.strength, row),
      value(layer.distinct, row),
      value(layer.senses, row),
      sensedOf(layer, row).join(", "),
    ]);
    return { columns, body };
  }

  /* Names of two layers: those of both, those of the first alone (lost), of the second alone (gained); rows by name. */
  function compareNames(first, second) {
    const byName = (layer) => {
      const result = new Map();
      for (let row = 0; row < layer.count; row += 1) {
        if (layer.name[row] < 0) continue;
        const text = layer.texts[layer.name[row]];
        if (!result.has(text)) result.set(text, []);
        result.get(text).push(row);
      }
      return result;
    };
    const [one, two] = [byName(first), byName(second)];
    const sorted = (names) => names.sort((a, b) => b[1].length + (b[2] || []).length - (a[1].length + (a[2] || []).length) || a[0].localeCompare(b[0], "en"));
    return {
      both: sorted([...one].filter(([name]) => two.has(name)).map(([name, rowsOf]) => [name, rowsOf, two.get(name)])),
      lost: sorted([...one].filter(([name]) => !two.has(name)).map(([name, rowsOf]) => [name, rowsOf])),
      gained: sorted([...two].filter(([name]) => !one.has(name)).map(([name, rowsOf]) => [name, rowsOf])),
    };
  }

  const CHANGES = ["renamed", "lost", "gained", "kept", "none"];

  /* Filters of the same number in two layers: [{a, b, kind, by}], rows of either, what became of the first's name in the
     second, and `same[row]`, how alike both fire, where that is known; what changed first, and of that what fires least alike. */
  function compareFilters(first, second, same) {
    const name = (layer, row) => (layer.name[row] < 0 ? null : layer.texts[layer.name[row]]);
    const result = [];
    for (let a = 0; a < first.count; a += 1) {
      const b = second.row(first.filter[a]);
      if (b < 0) continue;
      const [was, is] = [name(first, a), name(second, b)];
      const kind = was === null ? (is === null ? "none" : "gained") : is === null ? "lost" : was === is ? "kept" : "renamed";
      const by = same && same[a] !== null && same[a] !== undefined ? same[a] : null;
      result.push({ a, b, kind, by });
    }
    const place = (pair) => (pair.by === null ? 2 : pair.by);
    return result.sort((p, q) => CHANGES.indexOf(p.kind) - CHANGES.indexOf(q.kind) || place(p) - place(q) || p.a - q.a);
  }

  filterscope.listing = { ORDERS, rows, counts, table, compareNames, compareFilters, CHANGES };
  if (typeof module === "object") module.exports = filterscope;
})(globalThis);
