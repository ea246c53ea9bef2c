/* Data: files that call filterscope.receive(key, value), loaded when they are asked for; columns, unpacked. */
(function (root) {
  "use strict";
  const filterscope = (root.filterscope = root.filterscope || {});
  const FORMAT = 1;
  const SAFE = /^[a-z]+(\/[0-9]+){0,2}$/; // of keys, which come from addresses too
  const SENSED = 6; // words of a filter's senses
  const KEPT = 24; // details files held at a time: a layer of 2,048 filters has 32
  const MISSING = { u8: 0xff, u16: 0xffff, u32: 0xffffffff };

  const held = new Map();
  const asked = new Map();
  const details = [];
  const layers = new Map();

  /* What a data file hands over. */
  function receive(key, value) {
    held.set(key, value);
    if (!key.startsWith("details/")) return;
    details.push(key);
    while (details.length > KEPT) {
      const old = details.shift();
      held.delete(old);
      asked.delete(old);
    }
  }

  function pathOf(key) {
    return "data/" + key.replace(/^layer\//, "layers/") + ".js";
  }

  /* What the file of this key holds, when it has come; one script element a file. */
  function need(key) {
    if (!SAFE.test(key)) return Promise.reject(new Error("There is nothing named " + key + " in an atlas."));
    if (held.has(key)) return Promise.resolve(held.get(key));
    if (asked.has(key)) return asked.get(key);
    const promise = new Promise((resolve, reject) => {
      const script = document.createElement("script");
      const failed = (why) => {
        asked.delete(key);
        reject(new Error("The atlas's file " + pathOf(key) + " " + why + "."));
      };
      script.src = pathOf(key);
      script.onload = () => {
        script.remove();
        if (held.has(key)) resolve(held.get(key));
        else failed("holds something else than “" + key + "”");
      };
      script.onerror = () => {
        script.remove();
        failed("is missing or cannot be read");
      };
      document.head.append(script);
    });
    asked.set(key, promise);
    return promise;
  }

  /* The study; an atlas of another format is refused. */
  function study() {
    const value = held.get("study");
    if (!value) throw new Error("The atlas's file data/study.js is missing or cannot be read.");
    if (value.format !== FORMAT) {
      throw new Error("This page reads atlases of format " + FORMAT + "; data/study.js has format " + value.format + ".");
    }
    return value;
  }

  function bytes(base64) {
    const text = atob(base64);
    const result = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i += 1) result[i] = text.charCodeAt(i);
    return result;
  }

  /* The codes of a packed column: little endian, whatever the machine is. */
  function packed(column) {
    const raw = bytes(column.base64);
    if (column.type === "u8") return raw;
    const size = column.type === "u16" ? 2 : 4;
    const view = new DataView(raw.buffer);
    const result = size === 2 ? new Uint16Array(raw.length / 2) : new Uint32Array(raw.length / 4);
    for (let i = 0; i < result.length; i += 1) result[i] = size === 2 ? view.getUint16(2 * i, true) : view.getUint32(4 * i, true);
    return result;
  }

  /* A column of whole numbers as Int32Array, -1 where there is none; `width` values a row, short rows filled up. */
  function whole(column, count, width) {
    const w = width || 1;
    const result = new Int32Array(count * w).fill(-1);
    if (!column) return result;
    if (column.base64 !== undefined) {
      const codes = packed(column);
      const missing = MISSING[column.type];
      const from = column.from || 0;
      const step = column.step || 1;
      for (let i = 0; i < Math.min(codes.length, result.length); i += 1) if (codes[i] !== missing) result[i] = from + codes[i] * step;
      return result;
    }
    const nested = column.length > 0 && Array.isArray(column[0]);
    column.forEach((entry, row) => {
      if (nested) entry.slice(0, w).forEach((value, k) => (result[row * w + k] = value === null ? -1 : value));
      else if (row < result.length) result[row] = entry === null ? -1 : entry;
    });
    return result;
  }

  /* A column of real numbers as Float32Array, NaN where there is none; null if the layer has no such column. */
  function real(column, count) {
    if (!column) return null;
    const result = new Float32Array(count).fill(NaN);
    if (column.base64 !== undefined) {
      const codes = packed(column);
      const missing = MISSING[column.type];
      const from = column.from || 0;
      const step = column.step === undefined ? 1 : column.step;
      for (let i = 0; i < Math.min(codes.length, count); i += 1) if (codes[i] !== missing) result[i] = from + codes[i] * step;
    } else {
      column.forEach((value, row) => row < count && value !== null && (result[row] = value));
    }
    return result;
  }

  /* The index of a layer, unpacked: one entry of every array per filter, `row` says where a filter stands. */
  function unpackLayer(value) {
    const columns = value.columns || value;
    const count = value.count === undefined ? columns.filter.length : value.count;
    const filter = columns.filter ? whole(columns.filter, count) : Int32Array.from({ length: count }, (_, i) => i);
    const rows = new Map();
    filter.forEach((number, row) => rows.set(number, row));
    return {
      number: value.number,
      count,
      statuses: value.statuses,
      texts: value.texts || [],
      filter,
      row: (number) => (rows.has(number) ? rows.get(number) : -1),
      status: whole(columns.status, count),
      cause: whole(columns.cause, count),
      name: whole(columns.name, count),
      words: whole(columns.words, count, 5),
      apart: whole(columns.apart, count, 5),
      sensed: columns.sensed ? whole(columns.sensed, count, SENSED) : null,
      novel: whole(columns.novel, count),
      thumb: whole(columns.thumb, count),
      picture: whole(columns.picture, count),
      auprc: real(columns.auprc, count),
      null: real(columns.null, count),
      effect: real(columns.effect, count),
      strength: real(columns.strength, count),
      distinct: real(columns.distinct, count),
      senses: real(columns.senses, count),
      x: real(columns.x, count),
      y: real(columns.y, count),
      u: real(columns.u, count),
      v: real(columns.v, count),
    };
  }

  /* The layer of this number, unpacked once. */
  function layer(number) {
    if (layers.has(number)) return Promise.resolve(layers.get(number));
    return need("layer/" + number).then((value) => {
      if (!layers.has(number)) layers.set(number, unpackLayer(value));
      held.set("layer/" + number, true); // the packed form has done its duty
      return layers.get(number);
    });
  }

  /* The words of a filter by its row: [{word, isNew}], best first. */
  function wordsOf(index, row, column) {
    const codes = index[column || "words"];
    const shift = column === "apart" ? 5 : 0;
    const bits = index.novel[row];
    const result = [];
    for (let k = 0; k < 5; k += 1) {
      const code = codes[row * 5 + k];
      if (code >= 0) result.push({ word: index.texts[code], isNew: bits > 0 && Boolean((bits >> (k + shift)) & 1) });
    }
    return result;
  }

  /* The words that tell a filter's senses apart; none where it was not asked for senses. */
  function sensedOf(index, row) {
    const codes = index.sensed ? [...index.sensed.subarray(row * SENSED, (row + 1) * SENSED)] : [];
    return codes.filter((code) => code >= 0).map((code) => index.texts[code]);
  }

  filterscope.receive = receive;
  filterscope.store = {
    need,
    study,
    layer,
    unpackLayer,
    wordsOf,
    sensedOf,
    SENSED,
    bytes,
    whole,
    real,
    has: (key) => held.has(key),
    peek: (key) => held.get(key),
    peekLayer: (number) => layers.get(number),
    layersHeld: () => [...layers.values()],
  };
  if (typeof module === "object") module.exports = filterscope;
})(globalThis);
