/* Two layers beside each other, of one study or of two: names of both, gained and lost, and filters that match. */
(function (root) {
  "use strict";
  const filterscope = (root.filterscope = root.filterscope || {});
  const { html, useState, Panel, Status, Strip, Text, Card, Failed, Waiting, useData, useLayer, usePhotos, Source } = filterscope.parts;
  const { listing, address } = filterscope;
  const { show, count, share, isMissing } = filterscope.numbers;
  const SHOWN = 40;

  const CHANGES = { renamed: "another name", lost: "name lost", gained: "name gained", kept: "same name", none: "no name in both" };

  /* Layers to choose from; those of two studies apart. */
  function Options({ layers, beside }) {
    const option = (each) => html`<option key=${each.number} value=${each.number}>${each.heading}</option>`;
    if (!beside) return layers.map(option);
    return [["this study", 0], [beside.label, 1]].map(([label, study]) => html`<optgroup key=${study} label=${label}>${layers.filter((each) => (each.study || 0) === study).map(option)}</optgroup>`);
  }

  function Head({ info, layer, others, beside, onChoose, label }) {
    const named = layer ? [...layer.name].filter((code) => code >= 0).length : 0;
    return html`<div class="versus"><label>${label} <select value=${info.number} onChange=${(event) => onChoose(Number(event.target.value))}><${Options} layers=${others} beside=${beside} /></select></label>
      <p><a href=${address.write("layer", [info.number])}><strong><${Text}>${info.heading}<//></strong></a><br /><span class="soft">${count(info.filters, "filter")}${layer ? ", " + show(named) + " with a name (" + share(named / layer.count) + ")" : ""}</span></p>
      <${Strip} counts=${info.counts} total=${info.filters} label=${info.heading} />
      <p class="layer-counts">${Object.entries(info.counts).filter(([, n]) => n > 0).map(([status, n]) => html`<span key=${status}><${Status} status=${status} /> <b>${show(n)}</b></span>`)}</p><${Source} path=${info.files && info.files.filter_names} /></div>`;
  }

  function Names({ title, names, first, second, note, empty, sources }) {
    const [limit, setLimit] = useState(SHOWN);
    const most = Math.max(1, ...names.map(([, one, two]) => Math.max(one.length, two ? two.length : 0)));
    return html`<${Panel} title=${html`${title} <span class="soft">${show(names.length)}</span>`} note=${note} sources=${sources}>${names.length === 0 ? html`<p class="soft">${empty}</p>` : html`<ul class="name-list">${names.slice(0, limit).map(([name, one, two]) => html`<li key=${name}><a href=${address.write("search", [], { q: name })}><${Text} lines=${1}>${name}<//></a><span class="pair-bars"><i class="a" style=${{ width: (50 * (first ? one.length : 0)) / most + "%" }}></i><i class="b" style=${{ width: (50 * (two ? two.length : first ? 0 : one.length)) / most + "%" }}></i></span><span class="soft number">${two ? one.length + " · " + two.length : one.length}</span></li>`)}</ul>`}${names.length > limit ? html`<button type="button" onClick=${() => setLimit(limit + 200)}>Show more</button>` : null}<//>`;
  }

  function Pair({ a, b, layers, photos, note }) {
    return html`<li class="pair"><${Card} layer=${layers[0]} row=${a} photos=${photos[0]} /><span class="pair-note" aria-hidden="true">${note || "↔"}</span><${Card} layer=${layers[1]} row=${b} photos=${photos[1]} /></li>`;
  }

  /* How alike filters of the same number fire, by row of the layer that stands first, where that is the other one. */
  function flippedSame(same, first, second) {
    return Array.from(first.filter, (number) => { const row = second.row(number); return row < 0 ? null : same[row]; });
  }

  /* Pairs of rows: by what they fire on together where that was measured, else by the name that both bear. */
  function pairsOf(one, two, matches, names) {
    if (matches) {
      const flipped = matches.flipped;
      return matches.filter.map((number, row) => {
        const other = number === null || number === undefined ? -1 : flipped ? one.row(number) : two.row(number);
        return { a: flipped ? other : row, b: flipped ? row : other, by: matches.correlation ? matches.correlation[row] : null };
      }).filter((pair) => pair.a >= 0 && pair.b >= 0).sort((p, q) => (q.by || 0) - (p.by || 0));
    }
    const best = (layer, rows) => [...rows].sort((r, s) => (layer.auprc ? (layer.auprc[s] || 0) - (layer.auprc[r] || 0) : 0) || r - s)[0];
    return names.both.map(([name, rows, others]) => ({ a: best(one, rows), b: best(two, others), by: null, name }));
  }

  /* Filters of the same number in both: what became of their names. */
  function SameNumber({ pairs, layers, photos, infos, query, set, measured, chosen }) {
    const [limit, setLimit] = useState(24);
    const counts = listing.CHANGES.map((kind) => [kind, pairs.filter((each) => each.kind === kind).length]).filter(([, n]) => n > 0);
    const shown = query.kind ? pairs.filter((each) => each.kind === query.kind) : pairs;
    return html`<${Panel} title="Filter by filter" wide=${true} aside=${chosen} sources=${[infos[0].files && infos[0].files.filter_names, infos[1].files && infos[1].files.filter_names, measured && infos[0].files && infos[0].files.firing, measured && infos[1].files && infos[1].files.firing]}
      note=${"Filters of the same number: the first, and what became of it in the second." + (measured ? " The number between them is the correlation of their maxima over the same photographs: 1 where both fire alike." : " They saw other photographs, so how alike they fire is not known.")}>
      <div class="chips" role="group" aria-label="What became of names">${counts.map(([kind, n]) => html`<button key=${kind} type="button" class="chip" aria-pressed=${query.kind === kind} onClick=${() => set({ kind: query.kind === kind ? "" : kind })}>${CHANGES[kind]} <b>${show(n)}</b></button>`)}</div>
      <ul class="pairs">${shown.slice(0, limit).map((pair) => html`<${Pair} key=${pair.a} a=${pair.a} b=${pair.b} layers=${layers} photos=${photos} note=${isMissing(pair.by) ? null : show(pair.by, 2)} />`)}</ul>
      ${shown.length > limit ? html`<button type="button" onClick=${() => setLimit(limit + 96)}>Show more of ${show(shown.length)}</button>` : null}<//>`;
  }

  function Compare({ study, numbers, query, go }) {
    const infos = [numbers[0], numbers[1]].map((number, k) => study.layers.find((each) => each.number === number) || study.layers[Math.min(k, study.layers.length - 1)]);
    const [one, two] = [useLayer(infos[0].number), useLayer(infos[1].number)];
    const photos = [usePhotos(infos[0].photographs, infos[0].view), usePhotos(infos[1].photographs, infos[1].view)];
    const [low, high] = [Math.min(infos[0].number, infos[1].number), Math.max(infos[0].number, infos[1].number)];
    const measured = (study.matches || []).some(([a, b]) => a === low && b === high);
    const data = useData(measured ? "matches/" + low + "/" + high : null);
    const [limit, setLimit] = useState(24);
    const error = one.error || two.error || data.error;
    if (error) return html`<${Failed} error=${error} />`;
    const ready = one.value && two.value && !(measured && !data.value);
    const names = ready ? listing.compareNames(one.value, two.value) : null;
    const matches = data.value ? { ...data.value, flipped: infos[0].number > infos[1].number } : null;
    const pairs = ready ? pairsOf(one.value, two.value, matches, names) : [];
    const beside = study.beside;
    const studies = infos.map((each) => each.study || 0);
    const across = studies[0] !== studies[1];
    const called = studies.map((each) => (each ? beside.label : "this study"));
    const numbered = across && beside.pairs.some(([a, b]) => a === low && b === high) && infos[0].filters === infos[1].filters;
    const set = (change) => go(address.write("compare", numbers, { ...query, ...change }), true);
    const byNumber = numbered && (query.match !== "firing" || !matches);
    const filterPairs = ready && byNumber ? listing.compareFilters(one.value, two.value, data.value && data.value.same ? (studies[0] ? flippedSame(data.value.same, one.value, two.value) : data.value.same) : null) : [];
    const chosen = numbered && matches ? html`<div class="segments" role="group" aria-label="Which filters stand side by side"><button type="button" aria-pressed=${byNumber} onClick=${() => set({ match: "" })}>same number</button><button type="button" aria-pressed=${!byNumber} onClick=${() => set({ match: "firing", kind: "" })}>firing together</button></div>` : null;
    const choose = (k) => (number) => go(address.write("compare", k === 0 ? [number, infos[1].number] : [infos[0].number, number]));
    return html`<article class="page compare"><header class="title-block compact"><div><p class="kicker">Compare</p><h1 tabindex="-1">${across ? "Two studies" : "Two layers"}</h1>${across ? html`<p class="facts">What filters are called in <${Text}>${called[0]}<//>, and in <${Text}>${called[1]}<//></p>` : null}</div></header>
      ${(study.networks || []).filter((each) => each.probes.length > 1).map((each) => html`<p key=${each.number} class="note"><a href=${address.write("networks", [each.number])}>Networks compared by criteria of their pictures</a>: <${Text}>${each.probes.join(", ") + " on " + each.dataset}<//></p>`)}
      <div class="columns two"><${Head} info=${infos[0]} layer=${one.value} others=${study.layers} beside=${beside} onChoose=${choose(0)} label="First" /><${Head} info=${infos[1]} layer=${two.value} others=${study.layers} beside=${beside} onChoose=${choose(1)} label="Second" /></div>
      ${!ready ? html`<${Waiting} />` : html`<div class="columns three">
          <${Names} title="Names of both" sources=${[infos[0].files && infos[0].files.filter_names, infos[1].files && infos[1].files.filter_names]} names=${names.both} first=${true} empty="No name is borne in both." note="Filters with the name: in the first · in the second." />
          <${Names} title=${across ? "Lost: in the first only" : "In the first only"} sources=${[infos[0].files && infos[0].files.filter_names]} names=${names.lost} first=${true} empty="None." />
          <${Names} title=${across ? "Gained: in the second only" : "In the second only"} sources=${[infos[1].files && infos[1].files.filter_names]} names=${names.gained} first=${false} empty="None." /></div>
        ${byNumber ? html`<${SameNumber} pairs=${filterPairs} layers=${[one.value, two.value]} photos=${photos} infos=${infos} query=${query} set=${set} measured=${Boolean(data.value && data.value.same)} chosen=${chosen} />` : html`<${Panel} title=${matches ? "Filters that fire together" : "Filters of the same name"} wide=${true} aside=${chosen} note=${matches ? "Every filter beside the one of the other layer whose maxima over the same photographs correlate most; the number is that correlation." : "For every name of both the filter of either layer that masks support best."} sources=${[infos[0].files && infos[0].files.filter_names, infos[1].files && infos[1].files.filter_names, matches && infos[0].files && infos[0].files.firing, matches && infos[1].files && infos[1].files.firing]}>
          ${pairs.length ? html`<ul class="pairs">${pairs.slice(0, limit).map((pair) => html`<${Pair} key=${pair.a + "-" + pair.b} a=${pair.a} b=${pair.b} layers=${[one.value, two.value]} photos=${photos} note=${isMissing(pair.by) ? null : show(pair.by, 2)} />`)}</ul>` : html`<p class="soft">Nothing to be set side by side.</p>`}
          ${pairs.length > limit ? html`<button type="button" onClick=${() => setLimit(limit + 96)}>Show more of ${show(pairs.length)}</button>` : null}<//>`}`}</article>`;
  }

  filterscope.comparePage = { Compare, pairsOf, Source };
})(globalThis);
