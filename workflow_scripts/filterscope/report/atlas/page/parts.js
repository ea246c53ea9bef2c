/* Parts that several pages are made of: statuses, tiles of photographs, heatmaps, sources, panels. */
(function (root) {
  "use strict";
  const filterscope = (root.filterscope = root.filterscope || {});
  const { h } = root.preact;
  const { useEffect, useRef, useState, useCallback } = root.preactHooks;
  const html = root.htm.bind(h);
  const { store, geometry, numbers, address } = filterscope;

  /* What a status says, in a line; the same words as results/README.md. */
  const STATUSES = {
    proved: "Supported, and the named objects are also the cause: laid in and taken out, they change the filter more than other objects do.",
    supported: "The filter fires where its word is, better than the layer's mean filter, with the whole interval; at most the agreed share of such names is false.",
    unsupported: "Masks do not bear a claim out by enough, or it claims nothing: it has no name, whatever its words say.",
    "cannot be told": "Too few decoys to hold the share of false names, or the filter fires on other images only: no name.",
    untested: "There are no masks, so nothing could be tested: the name is what it claims.",
    silent: "In no image that was looked at does the filter rise above zero; other images might wake it.",
    dead: "The filter never rises above zero in the whole dataset.",
    unexplained: "No name was looked for in this layer.",
  };

  const code = (status) => (Object.prototype.hasOwnProperty.call(STATUSES, status) ? status.replace(/ /g, "-") : "unknown");

  /* Icons differ in shape, not in colour alone. */
  function Mark({ status }) {
    const shape = {
      proved: html`<circle cx="8" cy="8" r="7" class="fill" /><path d="M4.6 8.3l2.3 2.3 4.4-4.9" class="cut" />`,
      supported: html`<circle cx="8" cy="8" r="5.5" class="fill" />`,
      unsupported: html`<circle cx="8" cy="8" r="5.5" class="ring" />`,
      "cannot-be-told": html`<circle cx="8" cy="8" r="6" class="ring" /><path d="M6.4 6.5c0-2 3.2-2 3.2 0 0 1.2-1.6 1.2-1.6 2.4M8 10.9v.3" class="line" />`,
      untested: html`<circle cx="8" cy="8" r="5.5" class="ring dashed" />`,
      silent: html`<path d="M3 8h10" class="line thick" />`,
      dead: html`<path d="M4 4l8 8M12 4l-8 8" class="line thick" />`,
      unexplained: html`<circle cx="8" cy="8" r="2" class="fill" />`,
    }[code(status)];
    return html`<svg class=${"mark s-" + code(status)} viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">${shape || html`<circle cx="8" cy="8" r="2" class="fill" />`}</svg>`;
  }

  function Status({ status, long }) {
    return html`<span class=${"status s-" + code(status)} title=${STATUSES[status] || ""}><${Mark} status=${status} /><span>${status}</span>${
      long && STATUSES[status] ? html`<span class="status-long"> ${STATUSES[status]}</span>` : null}</span>`;
  }

  const LONG = 300; // characters of a text that are shown
  const MOST = 2000; // of a sentence that holds texts, and of a text where the pointer asks for it
  /* A text of the data: shown as text, in its own direction, never longer than its place. */
  function Text({ children, lines, title }) {
    const text = [children].flat(3).every((part) => typeof part === "string") ? [children].flat(3).join("") : null;
    const long = text !== null && text.length > LONG;
    const shown = text === null ? children : long ? text.slice(0, LONG) + "…" : text.trim() === "" && text !== "" ? "(blank)" : text;
    return html`<bdi class=${lines ? "clamp" : ""} title=${title || (long ? text.slice(0, MOST) : undefined)} style=${lines ? { WebkitLineClamp: lines } : null}>${shown}</bdi>`;
  }

  /* A sentence made from tables: its intervals step back, so that it can be read. */
  function Sentence({ children }) {
    const text = String(children);
    const parts = (text.length > MOST ? text.slice(0, MOST) + "…" : text).split(/(\[[−\-.\d, ]+\])/);
    return html`<bdi>${parts.map((part, k) => (k % 2 ? html`<small key=${k}>${part}</small>` : part))}</bdi>`;
  }

  /* The table that numbers come from. */
  function Source({ path, label }) {
    const href = address.link(path);
    if (!href) return null;
    const name = label || String(path).split("/").pop();
    // An atlas that was passed on lies beside no tables: it says which they were.
    if (store.study().base === null) return html`<span class="source" title=${"The table that these numbers come from, in the study's results: " + path}><span aria-hidden="true">▤</span> <${Text}>${name}<//></span>`;
    return html`<a class="source" href=${href} title=${"The table that these numbers come from: " + path}><span aria-hidden="true">▤</span> <${Text}>${name}<//></a>`;
  }

  /* Tables of several layers by the names of their kinds, each once, of so many layers at most. */
  function filesOf(layers, names, most) {
    const paths = layers.slice(0, most || 4).flatMap((layer) => names.map((name) => layer.files && layer.files[name]));
    return [...new Set(paths.filter(Boolean))];
  }

  /* What files are called beside each other: by their names, and where several have the same one by the nearest folders in
     which they differ, too. */
  function labelsOf(paths) {
    const split = paths.map((path) => path.split("/").reverse());
    return split.map(([name, ...folders]) => {
      const alike = split.filter(([other]) => other === name);
      const apart = folders.filter((folder, k) => folder !== ".." && alike.some((others) => others[k + 1] !== folder)).slice(0, 2);
      return apart.length ? apart.reverse().join(" ") + ": " + name : name;
    });
  }

  function Sources({ paths }) {
    const all = [...new Set((paths || []).filter((path) => path))];
    const labels = labelsOf(all);
    return all.map((path, k) => html`<${Source} key=${path} path=${path} label=${labels[k]} />`);
  }

  function Panel({ title, sources, aside, children, wide, id, note }) {
    return html`<section class=${"panel" + (wide ? " wide" : "")} id=${id}>
      <header><h2>${title}</h2>${aside ? html`<div class="aside">${aside}</div>` : null}</header>
      ${note ? html`<p class="note">${note}</p>` : null}
      ${children}
      ${sources && sources.some((path) => path) ? html`<footer class="sources"><${Sources} paths=${sources} /></footer>` : null}
    </section>`;
  }

  /* A file of the atlas: {value, error}; drawn again when it has come. */
  function useData(key) {
    const [state, setState] = useState({ key: null });
    useEffect(() => {
      if (!key || store.has(key)) return undefined;
      let wanted = true;
      store.need(key).then(
        (value) => wanted && setState({ key, value }),
        (error) => wanted && setState({ key, error }),
      );
      return () => { wanted = false; };
    }, [key]);
    if (!key) return {};
    if (store.has(key)) return { value: store.peek(key) };
    return state.key === key ? state : { waiting: true };
  }

  function useLayer(number) {
    const [state, setState] = useState({ number: null });
    const held = number === null || number === undefined ? undefined : store.peekLayer(number);
    useEffect(() => {
      if (number === null || number === undefined || held) return undefined;
      let wanted = true;
      store.layer(number).then(
        (value) => wanted && setState({ number, value }),
        (error) => wanted && setState({ number, error }),
      );
      return () => { wanted = false; };
    }, [number]);
    if (held) return { value: held };
    return state.number === number ? state : { waiting: true };
  }

  /* Width of an element, px, kept up to date. */
  function useWidth() {
    const ref = useRef(null);
    const [width, setWidth] = useState(0);
    useEffect(() => {
      if (!ref.current) return undefined;
      const observer = new ResizeObserver((entries) => setWidth(Math.round(entries[0].contentRect.width)));
      observer.observe(ref.current);
      return () => observer.disconnect();
    }, []);
    return [ref, width];
  }

  const Failed = ({ error }) => html`<div class="failed" role="alert"><strong>This part cannot be shown.</strong> ${error.message}</div>`;
  const Waiting = () => html`<div class="waiting" role="status">Loading…</div>`;

  /* Photographs of a dataset as a layer's network sees them: {sheet, columns}, the latter once they have come. */
  function usePhotos(number, view) {
    const there = number !== null && number !== undefined;
    const data = useData(there ? "photographs/" + number : null);
    const sheet = there ? (store.study().photographs || []).find((each) => each.number === number) : null;
    return { sheet: sheet || null, columns: data.value || null, unreadable: data.value ? data.value.unreadable || {} : {}, view, error: data.error };
  }

  /* The part of its tile that a photograph fills, and the part of that which the network sees. */
  function wholeBox(photos, row) {
    const { columns, sheet } = photos;
    return columns && row >= 0 ? geometry.filled(columns.width[row], columns.height[row], sheet && sheet.tile) : geometry.WHOLE;
  }
  function viewBox(photos, row) {
    const { columns } = photos;
    return columns && row >= 0 ? geometry.within(wholeBox(photos, row), geometry.seen(photos.view, columns.width[row], columns.height[row])) : geometry.WHOLE;
  }

  const rowsByImage = new WeakMap();
  /* Row of a photograph by its image number, -1 where the atlas has it not. */
  function rowOf(photos, image) {
    if (!photos.columns) return -1;
    if (!rowsByImage.has(photos.columns)) rowsByImage.set(photos.columns, new Map(photos.columns.image.map((id, row) => [id, row])));
    const row = rowsByImage.get(photos.columns).get(image);
    return row === undefined ? -1 : row;
  }

  /* What a photograph shows, for those who hear the page: its objects by name. */
  function contents(photos, row) {
    const objects = photos.columns && photos.columns.objects ? photos.columns.objects[row] : null;
    const names = objects ? [...new Set(objects.map(([category]) => photos.columns.texts[category]))].slice(0, 6) : [];
    const image = photos.columns ? photos.columns.image[row] : row;
    return "photograph " + image + (names.length ? ": " + names.join(", ").slice(0, 200) : "");
  }

  /* A photograph, or a box of its tile; a grey field where photographs are not passed on. */
  function Tile({ photos, row, box, label, children, className }) {
    const sheet = photos && photos.sheet;
    const shown = sheet && row >= 0 && sheet.pictures !== "none";
    return html`<div class=${"tile" + (shown ? "" : " blank") + (className ? " " + className : "")} role=${label ? "img" : "presentation"} aria-label=${label || undefined} style=${shown ? geometry.background(sheet, row, box || viewBox(photos, row)) : null}>
      ${shown ? null : html`<span class="blank-text" aria-hidden="true">${row >= 0 ? "not passed on" : "no image"}</span>`}${children}
    </div>`;
  }

  const HUES = { // stops of a perceptually even scale (after Matplotlib's inferno): red, green, blue
    stops: [[0, 0, 4], [40, 11, 84], [101, 21, 110], [159, 42, 99], [212, 72, 66], [245, 125, 21], [250, 193, 39], [252, 255, 164]],
  };
  function hue(share) {
    const at = share * (HUES.stops.length - 1);
    const low = Math.min(HUES.stops.length - 2, Math.floor(at));
    const t = at - low;
    return HUES.stops[low].map((from, channel) => from + (HUES.stops[low + 1][channel] - from) * t);
  }

  /* A heatmap as a small canvas that the browser enlarges smoothly. mode: dim (darkens what the filter ignores) or hue. */
  function Heat({ heat, h: lines, w: columns, opacity, mode, box }) {
    const ref = useRef(null);
    useEffect(() => {
      const canvas = ref.current;
      if (!canvas || !heat || typeof heat !== "string") return;
      const values = store.bytes(heat);
      const context = canvas.getContext("2d");
      const image = context.createImageData(columns, lines);
      for (let i = 0; i < Math.min(values.length, columns * lines); i += 1) {
        const share = values[i] / 255;
        const rgb = mode === "hue" ? hue(share) : [0, 0, 0];
        image.data.set([rgb[0], rgb[1], rgb[2], mode === "hue" ? 255 * (0.15 + 0.85 * share) : 255 * (1 - share)], 4 * i);
      }
      context.putImageData(image, 0, 0);
    }, [heat, lines, columns, mode]);
    return html`<canvas class="heat" ref=${ref} width=${columns} height=${lines} aria-hidden="true" style=${{ ...geometry.percent(box || [0, 0, 1, 1]), opacity }}></canvas>`;
  }

  /* What a filter is called: its name, or why it has none. */
  function nameOf(layer, row) {
    return layer.name[row] >= 0 ? layer.texts[layer.name[row]] : null;
  }

  function Words({ words, limit }) {
    return html`<span class="words">${words.slice(0, limit || 5).map(({ word, isNew }, k) => html`<span key=${k}>${k ? ", " : ""}<span class=${isNew ? "new-word" : ""}><${Text}>${word}<//>${isNew ? html`<sup title="a new word: no category has it, so no mask can test it">*</sup>` : null}</span></span>`)}</span>`;
  }

  /* A filter in a gallery; `over` is painted over its photograph. */
  function Card({ layer, row, photos, drawn, over, note, chosen, onChoose, onHover, hot, tabIndex }) {
    const status = layer.statuses[layer.status[row]];
    const name = nameOf(layer, row);
    const words = store.wordsOf(layer, row).map(({ word }) => word);
    const said = words.length ? words.slice(0, 3) : store.sensedOf(layer, row).slice(0, 3);
    const number = layer.filter[row];
    const called = name === null ? status + ", no name" : name + ", " + status;
    const picture = layer.picture[row];
    return html`<div class=${"card" + (hot ? " hot" : "") + (chosen ? " chosen" : "")} onMouseEnter=${onHover && (() => onHover(row))} onMouseLeave=${onHover && (() => onHover(-1))}>
      <a href=${address.write("filter", [layer.number, number])} tabindex=${tabIndex} data-row=${row} aria-label=${"Filter " + number + ": " + called}>
        ${(drawn || layer.thumb[row] < 0) && picture >= 0
          ? html`<img class="tile" loading="lazy" alt="" src=${"pictures/" + picture + ".webp"} />`
          : html`<${Tile} photos=${photos} row=${layer.thumb[row]} label=${"best image of filter " + number}>${over}<//>`}
        <span class="card-name"><${Mark} status=${status} />${name === null ? html`<span class="no-name">${status}</span>` : html`<strong><${Text} lines=${1}>${name}<//></strong>`}</span>
        <span class="card-line">${name === null ? (said.length ? html`<span class="soft"><${Text} lines=${1}>${said.join(", ")}<//></span>` : html`<span class="soft">no words</span>`) : html`<span class="soft">${status}</span>`}<span class="card-number">${number}</span></span>
        ${note ? html`<span class="card-note">${note}</span>` : null}
      </a>
      ${onChoose ? html`<label class="choose"><input type="checkbox" checked=${chosen} onChange=${() => onChoose(row)} aria-label=${"Select filter " + number} /></label>` : null}
    </div>`;
  }

  /* Shares of a layer's statuses as a strip. */
  function Strip({ counts, total, label }) {
    const entries = (Array.isArray(counts) ? counts : Object.entries(counts || {})).filter(([, n]) => n > 0);
    const sum = total || entries.reduce((all, [, n]) => all + n, 0);
    const text = entries.map(([status, n]) => n + " " + status).join(", ");
    return html`<div class="strip" role="img" aria-label=${(label ? label + ": " : "") + text} title=${text}>
      ${entries.map(([status, n]) => html`<span key=${status} class=${"b-" + code(status)} style=${{ width: (100 * n) / sum + "%" }}></span>`)}
    </div>`;
  }

  function Legend({ statuses }) {
    return html`<ul class="legend">${statuses.map((status) => html`<li key=${status}><${Status} status=${status} /></li>`)}</ul>`;
  }

  /* A picture of the pictures room, or why there is none. */
  function Picture({ path, alt, width, height }) {
    const src = address.link(path);
    return src ? html`<img class="picture" src=${src} alt=${alt} width=${width} height=${height} loading="lazy" decoding="async" />` : html`<div class="tile blank" role="img" aria-label=${alt + ": no picture"}><span class="blank-text" aria-hidden="true">no picture</span></div>`;
  }

  const SHORT = 12; // rows that are seen at a glance: of longer tables it is told how many there are
  /* A table of any columns, as the diagnosis and temperature rooms have; meanings: of the columns, in their order. */
  function Table({ title, columns, rows, total, path, meanings }) {
    const numeric = columns.map((_, k) => rows.length > 0 && rows.every((row) => row[k] === null || typeof row[k] === "number"));
    return html`<figure class="table-figure">
      ${title ? html`<figcaption><span><${Text}>${title}<//></span></figcaption>` : null}
      <div class="scroll" tabindex="0" role="group" aria-label=${title || "table"}><table class="plain"><thead><tr>${columns.map((name, k) => html`<th key=${k} scope="col" class=${numeric[k] ? "number" : ""} title=${(meanings && meanings[k]) || undefined}><${Text}>${String(name).replace(/_/g, " ")}<//></th>`)}</tr></thead>
      <tbody>${rows.map((row, i) => html`<tr key=${i}>${row.map((cell, k) => html`<td key=${k} class=${numeric[k] ? "number" : ""}>${typeof cell === "number" ? numbers.show(cell) : cell === null ? "–" : typeof cell === "boolean" ? (cell ? "yes" : "no") : html`<${Text} lines=${String(cell).length > 90 ? 3 : undefined} title=${String(cell).length > 90 ? String(cell).slice(0, 2000) : undefined}>${cell}<//>`}</td>`)}</tr>`)}</tbody></table></div>
      <div class="sources">${total > SHORT ? html`<span class="soft">${numbers.count(total, "row")}${total > rows.length ? ", the first " + numbers.show(rows.length) + " of them here" : ""}</span>` : null}<${Source} path=${path} /></div>
      ${meanings && meanings.some(Boolean) ? html`<details class="notes"><summary>What the columns mean</summary><dl class="meanings">${columns.map((name, k) => (meanings[k] ? html`<div key=${k}><dt><${Text}>${String(name).replace(/_/g, " ")}<//></dt><dd><${Text}>${meanings[k]}<//></dd></div>` : null))}</dl></details>` : null}
    </figure>`;
  }

  /* Hands a text over as a file. */
  function download(name, text, type) {
    const url = URL.createObjectURL(new Blob([text], { type: type || "text/csv;charset=utf-8" }));
    const anchor = document.createElement("a");
    anchor.href = url;
    anchor.download = name;
    document.body.append(anchor);
    anchor.click();
    anchor.remove();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }

  filterscope.parts = {
    html, code, filesOf, labelsOf, Sources, usePhotos, wholeBox, viewBox, rowOf, contents, STATUSES, Mark, Status, Text, Sentence, Source, Panel, useData, useLayer, useWidth, Failed, Waiting, Tile, Heat, hue, nameOf, Words, Card, Strip, Legend, Picture, Table, download,
    useEffect, useRef, useState, useCallback,
  };
})(globalThis);
