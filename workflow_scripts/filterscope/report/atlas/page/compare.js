/* Two layers beside each other: names of both, gained and lost, and filters that match. */
(function (root) {
  "use strict";
  const filterscope = (root.filterscope = root.filterscope || {});
  const { html, useState, Panel, Status, Strip, Text, Card, Failed, Waiting, useData, useLayer, usePhotos, Source } = filterscope.parts;
  const { listing, address } = filterscope;
  const { show, count, share, isMissing } = filterscope.numbers;
  const SHOWN = 40;

  function Head({ info, layer, others, onChoose, label }) {
    const named = layer ? [...layer.name].filter((code) => code >= 0).length : 0;
    return html`<div class="versus"><label>${label} <select value=${info.number} onChange=${(event) => onChoose(Number(event.target.value))}>${others.map((each) => html`<option key=${each.number} value=${each.number}>${each.heading}</option>`)}</select></label>
      <p><a href=${address.write("layer", [info.number])}><strong><${Text}>${info.heading}<//></strong></a><br /><span class="soft">${count(info.filters, "filter")}${layer ? ", " + show(named) + " with a name (" + share(named / layer.count) + ")" : ""}</span></p>
      <${Strip} counts=${info.counts} total=${info.filters} label=${info.heading} />
      <p class="layer-counts">${Object.entries(info.counts).filter(([, n]) => n > 0).map(([status, n]) => html`<span key=${status}><${Status} status=${status} /> <b>${show(n)}</b></span>`)}</p></div>`;
  }

  function Names({ title, names, first, second, note, empty }) {
    const [limit, setLimit] = useState(SHOWN);
    const most = Math.max(1, ...names.map(([, one, two]) => Math.max(one.length, two ? two.length : 0)));
    return html`<${Panel} title=${html`${title} <span class="soft">${show(names.length)}</span>`} note=${note}>${names.length === 0 ? html`<p class="soft">${empty}</p>` : html`<ul class="name-list">${names.slice(0, limit).map(([name, one, two]) => html`<li key=${name}><a href=${address.write("search", [], { q: name })}><${Text} lines=${1}>${name}<//></a><span class="pair-bars"><i class="a" style=${{ width: (50 * (first ? one.length : 0)) / most + "%" }}></i><i class="b" style=${{ width: (50 * (two ? two.length : first ? 0 : one.length)) / most + "%" }}></i></span><span class="soft number">${two ? one.length + " · " + two.length : one.length}</span></li>`)}</ul>`}${names.length > limit ? html`<button type="button" onClick=${() => setLimit(limit + 200)}>Show more</button>` : null}<//>`;
  }

  function Pair({ a, b, layers, photos, note }) {
    return html`<li class="pair"><${Card} layer=${layers[0]} row=${a} photos=${photos[0]} /><span class="pair-note" aria-hidden="true">${note || "↔"}</span><${Card} layer=${layers[1]} row=${b} photos=${photos[1]} /></li>`;
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

  function Compare({ study, numbers, go }) {
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
    const choose = (k) => (number) => go(address.write("compare", k === 0 ? [number, infos[1].number] : [infos[0].number, number]));
    return html`<article class="page compare"><header class="title-block compact"><div><p class="kicker">Compare</p><h1 tabindex="-1">Two layers</h1></div></header>
      <div class="columns two"><${Head} info=${infos[0]} layer=${one.value} others=${study.layers} onChoose=${choose(0)} label="First" /><${Head} info=${infos[1]} layer=${two.value} others=${study.layers} onChoose=${choose(1)} label="Second" /></div>
      ${!ready ? html`<${Waiting} />` : html`<div class="columns three">
          <${Names} title="Names of both" names=${names.both} first=${true} empty="No name is borne in both." note="Filters with the name: in the first · in the second." />
          <${Names} title="In the first only" names=${names.lost} first=${true} empty="None." />
          <${Names} title="In the second only" names=${names.gained} first=${false} empty="None." /></div>
        <${Panel} title=${matches ? "Filters that fire together" : "Filters of the same name"} wide=${true} note=${matches ? "Every filter beside the one of the other layer whose maxima over the same photographs correlate most; the number is that correlation." : "For every name of both the filter of either layer that masks support best."} sources=${[infos[0].files && infos[0].files.filter_names, infos[1].files && infos[1].files.filter_names]}>
          ${pairs.length ? html`<ul class="pairs">${pairs.slice(0, limit).map((pair) => html`<${Pair} key=${pair.a + "-" + pair.b} a=${pair.a} b=${pair.b} layers=${[one.value, two.value]} photos=${photos} note=${isMissing(pair.by) ? null : show(pair.by, 2)} />`)}</ul>` : html`<p class="soft">Nothing to be set side by side.</p>`}
          ${pairs.length > limit ? html`<button type="button" onClick=${() => setLimit(limit + 96)}>Show more of ${show(pairs.length)}</button>` : null}<//>`}</article>`;
  }

  filterscope.comparePage = { Compare, pairsOf, Source };
})(globalThis);
