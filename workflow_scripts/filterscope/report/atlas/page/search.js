/* The search box, and what all layers know of a word. */
(function (root) {
  "use strict";
  const filterscope = (root.filterscope = root.filterscope || {});
  const { html, useState, useEffect, useRef, Card, Text, Waiting, usePhotos, Source, Sources } = filterscope.parts;
  const { store, words, address } = filterscope;
  const { count, show } = filterscope.numbers;
  const SHOWN = 24; // filters of a layer on the page of all layers

  let built = null; // {layers, index}: words of the layers that are held

  function indexOf(layers) {
    if (!built || built.layers.length !== layers.length || built.layers.some((layer, k) => layer !== layers[k])) {
      built = { layers, index: words.wordIndex(layers, root.MiniSearch) };
    }
    return built.index;
  }

  /* All layers, loaded one after the other; calls back with how many have come. */
  function loadAll(study, onProgress) {
    return study.layers.reduce((before, info, k) => before.then((held) => store.layer(info.number).then((layer) => {
      if (onProgress) onProgress(k + 1);
      return [...held, layer];
    })), Promise.resolve([]));
  }

  /* Makes the index of words ready before anybody asks. */
  function warm(layers) {
    indexOf(layers).index();
  }

  function vocabulariesOf(study, layers) {
    const numbers = new Set(layers.map((layer) => (study.layers.find((info) => info.number === layer.number) || {}).words));
    return [...numbers].filter((number) => number !== null && number !== undefined);
  }

  /* Filters of these layers that answer a query, and the words by which: {answers, hits}. */
  function lookUp(query, layers, vocabularies) {
    return words.answer(layers, words.resolve(query, indexOf(layers), vocabularies));
  }

  function useSearch(query, layers, study) {
    const [, again] = useState(0);
    const numbers = query && layers ? vocabulariesOf(study, layers) : [];
    useEffect(() => {
      const missing = numbers.filter((number) => !store.has("words/" + number));
      if (missing.length) Promise.allSettled(missing.map((number) => store.need("words/" + number))).then(() => again((n) => n + 1));
    }, [numbers.join(","), Boolean(query)]);
    const memory = useRef({});
    if (!query || !layers) return { answers: [], hits: [] };
    const held = numbers.filter((number) => store.has("words/" + number)).map((number) => store.peek("words/" + number));
    const key = query + "|" + held.length + "|" + layers.length + "|" + layers.map((layer) => layer.number).join(",");
    if (memory.current.key !== key) memory.current = { key, ...lookUp(query, layers, held) };
    return memory.current;
  }

  /* The box in the head: on a layer's page it searches that layer, elsewhere all of them. */
  function Box({ study, route, go }) {
    const here = route.page === "layer" ? route.numbers[0] : null;
    const [text, setText] = useState(route.query.q || "");
    const [suggested, setSuggested] = useState([]);
    const [open, setOpen] = useState(false);
    const [at, setAt] = useState(-1);
    const input = useRef(null);
    useEffect(() => { if (document.activeElement !== input.current) setText(route.query.q || ""); }, [route.query.q, route.page]);
    const suggest = (value) => {
      if (!value.trim()) { setSuggested([]); return; }
      const held = store.layersHeld().filter((layer) => here === null || layer.number === here);
      if (!held.length) { setSuggested([]); return; }
      const vocabularies = vocabulariesOf(study, held).filter((number) => store.has("words/" + number)).map((number) => store.peek("words/" + number));
      setSuggested(lookUp(value, held, vocabularies).answers.slice(0, 9));
    };
    const submit = (value) => {
      setOpen(false);
      if (here !== null) go(address.write("layer", [here], { ...route.query, sort: "", q: value.trim() }), route.query.q !== undefined && route.query.q !== "");
      else go(address.write("search", [], { q: value.trim() }));
    };
    const typed = (event) => {
      setText(event.target.value);
      setAt(-1);
      setOpen(true);
      if (here === null) loadAll(study).then(() => suggest(event.target.value)); else suggest(event.target.value);
      if (event.target.value === "" && here !== null) submit("");
    };
    const keys = (event) => {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        if (!suggested.length) return;
        event.preventDefault();
        const next = (at + (event.key === "ArrowDown" ? 1 : -1) + suggested.length + 1) % (suggested.length + 1);
        setAt(next === suggested.length ? -1 : next);
      } else if (event.key === "Escape") {
        setOpen(false);
        event.target.blur();
      }
    };
    const showing = open && suggested.length > 0;
    return html`<form class="search" role="search" onSubmit=${(event) => { event.preventDefault(); const value = at >= 0 && suggested[at] ? suggested[at].word : text; setText(value); input.current.blur(); submit(value); }}>
      <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true"><circle cx="7" cy="7" r="4.5" /><path d="M10.5 10.5L14 14" /></svg>
      <input ref=${input} id="search" type="search" autocomplete="off" spellcheck=${false} placeholder=${here === null ? "Which filters know…" : "Which filters of this layer know…"} aria-label=${here === null ? "Search all layers for a word" : "Search this layer for a word"} role="combobox" aria-expanded=${showing} aria-controls="suggestions" aria-autocomplete="list" aria-activedescendant=${at >= 0 ? "suggestion-" + at : undefined} value=${text} onInput=${typed} onKeyDown=${keys} onFocus=${() => { setOpen(true); suggest(text); }} onBlur=${() => setTimeout(() => setOpen(false), 150)} />
      <kbd aria-hidden="true">/</kbd>
      <ul class="suggestions" id="suggestions" role="listbox" aria-label="Words that filters know" hidden=${!showing}>${suggested.map((each, k) => html`<li key=${each.word} id=${"suggestion-" + k} role="option" aria-selected=${k === at} onMouseDown=${(event) => { event.preventDefault(); setText(each.word); input.current.blur(); submit(each.word); }}><${Text} lines=${1}>${each.word}<//><span class="soft">${each.kind === "near" ? "near · " : each.kind === "spelt" ? "spelt alike · " : ""}${show(each.count)}</span></li>`)}</ul>
    </form>`;
  }

  function Group({ info, layer, hits, query }) {
    const photos = usePhotos(info.photographs, info.view);
    return html`<section class="search-group"><h2><a href=${address.write("layer", [info.number], { q: query })}><${Text}>${info.heading}<//></a> <span class="soft">${count(hits.length, "filter")} of ${show(layer.count)}</span> <${Source} path=${info.files && (info.files.filter_words || info.files.sense_words)} /></h2>
      <div class="gallery" onKeyDown=${(event) => filterscope.layerPage.moveFocus(event)}>${hits.slice(0, SHOWN).map((hit) => html`<${Card} key=${hit.row} layer=${layer} row=${hit.row} photos=${photos} note=${hit.kind === "exact" ? null : html`<${Text} lines=${1}>${hit.word}<//>`} />`)}</div>
      ${hits.length > SHOWN ? html`<p><a href=${address.write("layer", [info.number], { q: query })}>All ${show(hits.length)} of them</a></p>` : null}</section>`;
  }

  /* Classes whose name holds the query. */
  function classesOf(study, query) {
    const spaced = (text) => words.plain(text).replace(/_/g, " ");
    const asked = spaced(query || "");
    return asked ? (study.classes || []).filter((each) => words.forms(asked).has(spaced(each.class)) || spaced(each.class).includes(asked)).slice(0, 60) : [];
  }

  function Search({ study, query }) {
    const [layers, setLayers] = useState(null);
    const [come, setCome] = useState(0);
    const [error, setError] = useState(null);
    useEffect(() => {
      let wanted = true;
      loadAll(study, (n) => wanted && setCome(n)).then((held) => wanted && setLayers(held), (problem) => wanted && setError(problem));
      return () => { wanted = false; };
    }, []);
    const found = useSearch(query.q, layers, study);
    if (error) return html`<${filterscope.parts.Failed} error=${error} />`;
    const groups = !layers ? [] : study.layers.map((info) => ({ info, layer: layers.find((each) => each.number === info.number), hits: found.hits.filter((hit) => hit.layer === info.number) })).filter(({ hits }) => hits.length).sort((a, b) => b.hits[0].score - a.hits[0].score || b.hits.length - a.hits.length);
    const classes = classesOf(study, query.q);
    return html`<article class="page"><header class="title-block"><p class="kicker">All layers</p><h1 tabindex="-1">${query.q ? html`Which filters know “<${Text}>${query.q}<//>”?` : "Which filters know…?"}</h1>
      ${!query.q ? html`<p class="facts">Type a word above: a name, a word of a filter's images, or one that is near such a word in the vocabulary.</p>` : !layers ? html`<p class="facts">Reading layer ${come} of ${study.layers.length}…</p>`
        : html`<p class="facts" role="status">${found.hits.length ? html`${count(found.hits.length, "filter")} in ${count(groups.length, "layer")}: ` : "None, nor one that knows a word near it. "}${found.answers.slice(0, 16).map((each, k) => html`<span key=${each.word}>${k ? ", " : ""}<a class=${"answer " + each.kind} href=${address.write("search", [], { q: each.word })}><${Text}>${each.word}<//></a> <span class="soft">(${show(each.count)}${each.kind === "near" ? ", near" : each.kind === "spelt" ? ", spelt alike" : ""})</span></span>`)}</p>`}</header>
      ${classes.length ? html`<section class="search-group"><h2>Classes of this name <${Sources} paths=${[...new Set(classes.map((each) => each.file))].slice(0, 4)} /></h2><ul class="pill-list">${classes.map((each) => html`<li key=${each.number}><a href=${address.write("class", [each.number])}><${Text}>${each.class}<//> <span class="soft"><${Text}>${each.probe}<//></span></a></li>`)}</ul></section>` : null}
      ${query.q && !layers ? html`<${Waiting} />` : groups.map((each) => html`<${Group} key=${each.info.number} info=${each.info} layer=${each.layer} hits=${each.hits} query=${query.q} />`)}</article>`;
  }

  filterscope.search = { useSearch, lookUp, loadAll, warm, Box, Search };
})(globalThis);
