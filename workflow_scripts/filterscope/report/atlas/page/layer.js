/* A layer: its filters as a gallery, beside a map; searched, sorted, chosen. */
(function (root) {
  "use strict";
  const filterscope = (root.filterscope = root.filterscope || {});
  const { html, useState, useEffect, useRef, Card, Mark, Status, Strip, Source, Text, Tile, Words, Failed, Waiting, useLayer, usePhotos, nameOf, download, Panel } = filterscope.parts;
  const { LayerMap } = filterscope.map;
  const { store, listing, search, address } = filterscope;
  const { show, count, csv } = filterscope.numbers;
  const PORTION = 180; // cards that are drawn at a time

  const MEASURES = { evidence: ["auprc", "AUPRC"], cause: ["effect", "effect"], distinct: ["distinct", "lift"], strength: ["strength", "max"], senses: ["senses", "senses"] };

  /* What was found for the query, with the words that answered it. */
  function Answers({ query, answers, total, layer }) {
    if (!query) return null;
    const shown = answers.filter((each) => each.count > 0).slice(0, 14);
    return html`<p class="answers" role="status">${total === 0 ? html`No filter of this layer knows “<${Text}>${query}<//>” or a word near it.` : html`${count(total, "filter")} for “<${Text}>${query}<//>”: ${shown.map((each, k) => html`<span key=${each.word}>${k ? ", " : ""}<a class=${"answer " + each.kind} href=${address.write("layer", [layer.number], { q: each.word })}><${Text}>${each.word}<//></a> <span class="soft">(${each.count}${each.kind === "near" ? ", near" : each.kind === "spelt" ? ", spelt alike" : ""})</span></span>`)}.`}
      ${" "}<a class="more" href=${address.write("search", [], { q: query })}>in all layers</a></p>`;
  }

  /* Arrow keys move between the cards of a gallery. */
  function moveFocus(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: "up", ArrowDown: "down" }[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    const links = [...event.currentTarget.querySelectorAll("a[data-row]")];
    const now = links.indexOf(document.activeElement);
    if (now < 0) return;
    const top = links[0].getBoundingClientRect().top;
    const across = Math.max(1, links.findIndex((each) => each.getBoundingClientRect().top > top + 4));
    const next = now + (step === "up" ? -across : step === "down" ? across : step);
    if (next < 0 || next >= links.length) return;
    event.preventDefault();
    event.stopPropagation();
    links[next].focus();
  }

  /* What the pointer is on, told beside the map. */
  function Preview({ layer, row, photos }) {
    if (row < 0) return html`<div class="preview soft">Point at a filter to see it, click to open it. Its colour is its status; drag and + to look closer.</div>`;
    const status = layer.statuses[layer.status[row]];
    const name = nameOf(layer, row);
    return html`<div class="preview"><${Tile} photos=${photos} row=${layer.thumb[row]} label="" /><div><strong>${layer.filter[row]} ${name === null ? html`<span class="soft">no name</span>` : html`<${Text} lines=${1}>${name}<//>`}</strong><${Status} status=${status} /><${Words} words=${store.wordsOf(layer, row)} limit=${4} /></div></div>`;
  }

  function Layer({ info, study, query, go }) {
    const { value: layer, error } = useLayer(info.number);
    const photos = usePhotos(info.photographs, info.view);
    const [limit, setLimit] = useState(PORTION);
    const [hot, setHot] = useState(-1);
    const [choosing, setChoosing] = useState(false);
    const [chosen, setChosen] = useState(new Set());
    const [tab, setTab] = useState("gallery");
    const end = useRef(null);
    const found = search.useSearch(query.q, layer ? [layer] : null, study);
    const statuses = query.status ? query.status.split(",") : [];
    const key = [info.number, query.q, query.sort, query.status].join("|");
    useEffect(() => { setLimit(PORTION); }, [key]);
    useEffect(() => { setChosen(new Set()); }, [info.number]);
    const rows = layer ? listing.rows(layer, { sort: query.sort, statuses, found: query.q ? found.hits : null }) : [];
    filterscope.order = layer ? { layer: info.number, filters: () => rows.map((row) => layer.filter[row]), back: address.write("layer", [info.number], query) } : null;
    useEffect(() => {
      if (!end.current || limit >= rows.length) return undefined;
      const observer = new IntersectionObserver((entries) => entries.some((each) => each.isIntersecting) && setLimit((old) => old + PORTION), { rootMargin: "800px" });
      observer.observe(end.current);
      return () => observer.disconnect();
    }, [limit, rows.length]);
    if (error) return html`<${Failed} error=${error} />`;
    if (!layer) return html`<${Waiting} />`;
    const set = (change) => go(address.write("layer", [info.number], { ...query, ...change }), true);
    const toggle = (status) => {
      const next = statuses.includes(status) ? statuses.filter((each) => each !== status) : [...statuses, status];
      set({ status: next.join(",") });
    };
    const counts = listing.counts(layer);
    const measure = MEASURES[query.sort];
    const hits = new Map((found.hits || []).map((hit) => [hit.row, hit]));
    const note = (row) => {
      if (query.q && hits.has(row) && hits.get(row).kind !== "exact") return html`<${Text} lines=${1}>${hits.get(row).word}<//>`;
      if (measure && layer[measure[0]]) return measure[1] + " " + show(layer[measure[0]][row]);
      return null;
    };
    const by = query.map === "firing" ? "firing" : "words";
    const mapped = Boolean(layer.x || layer.u);
    const drawn = query.show === "pictures";
    const drawable = layer.picture.some((number) => number >= 0) && layer.thumb.some((number) => number >= 0);
    const orders = Object.entries(listing.ORDERS).filter(([name, { of }]) => (name === "likeness" ? Boolean(query.q) : !of || of === "name" || layer[of]));
    const exportChosen = () => {
      const table = listing.table(layer, chosen.size ? rows.filter((row) => chosen.has(row)) : rows, store.wordsOf, store.sensedOf);
      download("filters_of_layer_" + info.number + ".csv", csv(table.columns, table.body));
    };
    const choose = (row) => setChosen((old) => {
      const next = new Set(old);
      if (!next.delete(row)) next.add(row);
      return next;
    });
    return html`<article class=${"page layer show-" + tab}>
      <header class="title-block compact"><div><h1 tabindex="-1"><${Text}>${info.probe || info.heading}<//></h1>
        <p class="facts">${count(layer.count, "filter")}${info.network ? html` of <${Text}>${info.network}<//>` : ""}${info.layer ? html` · <${Text}>${info.layer}<//>` : ""}${info.dataset ? html` · on <${Text}>${info.dataset}<//>` : ""}${info.vocabulary ? html` · in words of <${Text}>${info.vocabulary}<//>` : ""}</p></div>
        <div class="title-aside"><${Source} path=${info.files && info.files.filter_names} /><${Source} path=${info.files && info.files.filter_words} />${study.layers.length > 1 ? html`<a class="button" href=${address.write("compare", [info.number, study.layers.find((each) => each.number !== info.number).number])}>Compare</a>` : null}</div></header>
      <${Strip} counts=${counts} total=${layer.count} label="Statuses" />
      ${layer.count < info.filters ? html`<p class="note">${show(layer.count)} of its ${count(info.filters, "filter")} are in this atlas.</p>` : null}
      ${info.senses ? html`<p class="note"><a href=${address.write("layer", [info.number], { ...query, sort: "senses" })}>Senses</a>: <${Text}>${info.senses}<//>. <${Source} path=${info.files && info.files.senses} /></p>` : null}
      <${filterscope.studyPage.Notes} title="Before you believe it" notes=${[...(study.warnings || []), ...(study.notes || [])].filter((each) => each.layer === info.number)} />
      <div class="controls sticky">
        <div class="chips" role="group" aria-label="Statuses that are shown">${counts.map(([status, n]) => html`<button key=${status} type="button" class="chip" aria-pressed=${statuses.includes(status)} onClick=${() => toggle(status)} title=${filterscope.parts.STATUSES[status] || ""}><${Mark} status=${status} />${status} <b>${show(n)}</b></button>`)}${statuses.length ? html`<button type="button" class="chip clear" onClick=${() => set({ status: "" })}>all</button>` : null}</div>
        <span class="grow"></span>
        ${drawable ? html`<div class="segments" role="group" aria-label="What stands for a filter"><button type="button" aria-pressed=${!drawn} onClick=${() => set({ show: "" })}>photographs</button><button type="button" aria-pressed=${drawn} onClick=${() => set({ show: "pictures" })}>pictures</button></div>` : null}
        <label>Sort by <select value=${query.sort || (query.q ? "likeness" : "number")} onChange=${(event) => set({ sort: event.target.value })}>${orders.map(([name, { label }]) => html`<option key=${name} value=${name}>${label}</option>`)}</select></label>
        <button type="button" aria-pressed=${choosing} onClick=${() => setChoosing(!choosing)}>Select</button>
        <button type="button" onClick=${exportChosen} disabled=${rows.length === 0}>Export ${chosen.size ? show(chosen.size) : show(rows.length)} as CSV</button>
        ${mapped ? html`<div class="segments tabs" role="group" aria-label="View"><button type="button" aria-pressed=${tab === "gallery"} onClick=${() => setTab("gallery")}>Gallery</button><button type="button" aria-pressed=${tab === "map"} onClick=${() => setTab("map")}>Map</button></div>` : null}
      </div>
      <${Answers} query=${query.q} answers=${found.answers} total=${(found.hits || []).length} layer=${info} />
      <div class=${"layer-body" + (mapped ? "" : " unmapped")}>
        <section class="gallery-side" aria-label="Filters">
          ${rows.length === 0 && !query.q ? html`<p class="soft">${layer.count === 0 ? "None of its filters is in this atlas." : "No filter has " + (statuses.length === 1 ? "this status." : "these statuses.")}</p>` : null}
          <div class="gallery" onKeyDown=${moveFocus}>${rows.slice(0, limit).map((row) => html`<${Card} key=${row} layer=${layer} row=${row} photos=${photos} note=${note(row)} hot=${hot === row} onHover=${setHot} chosen=${chosen.has(row)} onChoose=${choosing ? choose : null} drawn=${drawn} />`)}</div>
          <div ref=${end} class="gallery-end">${limit < rows.length ? html`<button type="button" onClick=${() => setLimit(limit + PORTION)}>Show more of ${show(rows.length)}</button>` : null}</div>
        </section>
        ${mapped ? html`<aside class="map-side" aria-label="Map"><div class="map-sticky">
          <div class="map-head"><div class="segments" role="group" aria-label="What is near each other on the map"><button type="button" aria-pressed=${by === "words"} onClick=${() => set({ map: "" })}>alike in words</button><button type="button" aria-pressed=${by === "firing"} onClick=${() => set({ map: "firing" })}>firing together</button></div></div>
          <${LayerMap} layer=${layer} by=${by} shown=${rows} hot=${hot} onHot=${setHot} onOpen=${(row) => go(address.write("filter", [info.number, layer.filter[row]]))} />
          <${Preview} layer=${layer} row=${hot} photos=${photos} />
        </div></aside>` : null}
      </div></article>`;
  }

  filterscope.layerPage = { Layer, Panel, moveFocus };
})(globalThis);
