/* The study: what was asked, how it ended, layer by layer, and how far it can be believed. */
(function (root) {
  "use strict";
  const filterscope = (root.filterscope = root.filterscope || {});
  const { html, useState, Panel, Status, Strip, Legend, Source, Text, Sentence, Tile, Card, Heat, Picture, filesOf, Sources, useData, useLayer, usePhotos, download } = filterscope.parts;
  const { Intervals, CurveGrid } = filterscope.charts;
  const AT_ONCE = 6; // remarks that are seen before the rest is asked for
  const { show, count, share, isMissing } = filterscope.numbers;
  const { write, link } = filterscope.address;

  const PER_FILE = 64; // filters in a file of details

  const ROWS = {
    words: "Filterscope’s words",
    ceiling: "best claim there is",
    dissection: "Network Dissection",
    clip_dissect: "CLIP-Dissect",
    constant_words: "the same frequent words for all",
    shuffled_filters: "another filter’s words",
    shuffled_labels: "learnt from shuffled labels",
    random_network: "a network never trained",
  };
  const KINDS = { words: "own", ceiling: "bound", dissection: "rival", clip_dissect: "rival" };
  const METRICS = {
    recall: { label: "recall", says: "share of the objects under a filter’s strongest places whose word is among its first words" },
    iou: { label: "IoU", says: "overlap of where the filter fires and the masks of its word" },
    f1: { label: "F1", says: "precision and recall of its firing places for the masks of its word" },
    auprc: { label: "AUPRC", says: "how well the strength of the filter’s map finds the masks of its word, at every threshold" },
    auprc_lift: { label: "AUPRC lift", says: "AUPRC above that of the layer’s mean filter" },
    lift: { label: "AUPRC lift", says: "AUPRC above that of the layer’s mean filter" },
    correlation: { label: "correlation", says: "of the filter’s map with the masks of its word" },
  };
  const CANDIDATES = {
    vocabulary: "of the whole vocabulary",
    categories: "of the categories",
    unsupervised: "of held-out categories",
    vocabulary_unsupervised: "held-out, of the whole vocabulary",
  };

  const metricName = (metric) => (METRICS[metric] ? METRICS[metric].label : String(metric).replace(/_/g, " "));

  /* The scores' measurements: [{key, label, says}] in the table's order. */
  function measures(scores, layer) {
    const found = new Map();
    scores.layer.forEach((each, i) => {
      if (each !== layer) return;
      const key = [scores.metric[i], scores.candidates[i], scores.k ? scores.k[i] : null].join("|");
      if (found.has(key)) return;
      const k = scores.k ? scores.k[i] : null;
      const label = metricName(scores.metric[i]) + (k && (k > 1 || scores.metric[i] === "recall") ? "@" + k : "") + (CANDIDATES[scores.candidates[i]] ? ", " + CANDIDATES[scores.candidates[i]] : "");
      found.set(key, { key, label, says: METRICS[scores.metric[i]] ? METRICS[scores.metric[i]].says : "" });
    });
    return [...found.values()];
  }

  function rowsOf(scores, layer, key) {
    const result = [];
    scores.layer.forEach((each, i) => {
      if (each !== layer || [scores.metric[i], scores.candidates[i], scores.k ? scores.k[i] : null].join("|") !== key) return;
      const row = scores.row[i];
      const margin = scores.margin && !isMissing(scores.margin[i]) ? "The words are " + show(scores.margin[i]) + " above it, " + filterscope.numbers.interval(scores.margin_low[i], scores.margin_high[i]) + "." : "";
      result.push({ label: ROWS[row] || String(row).replace(/_/g, " "), value: scores.value[i], low: scores.low[i], high: scores.high[i], kind: KINDS[row] || "nil", order: Object.keys(ROWS).indexOf(row), title: margin, row });
    });
    return result.sort((a, b) => a.order - b.order);
  }

  /* What to know of a layer's numbers, folded away. */
  function Notes({ notes, title }) {
    if (!notes.length) return null;
    return html`<details class="notes"><summary>${title || "What to know of these numbers"} <span class="soft">${notes.length}</span></summary><ul class="plain-list remarks">${notes.map((each, k) => html`<li key=${k}><${Sentence}>${each.text}<//></li>`)}</ul></details>`;
  }

  function Scores({ study }) {
    const { scores, layers } = study;
    const able = layers.filter((layer) => scores.layer.includes(layer.number));
    const [number, setNumber] = useState(able.length ? able[0].number : null);
    const choices = number === null ? [] : measures(scores, number);
    const [wanted, setWanted] = useState(null);
    if (!able.length) return null;
    const key = choices.some((each) => each.key === wanted) ? wanted : (choices.find((each) => each.label.startsWith("AUPRC")) || choices[0]).key;
    const chosen = choices.find((each) => each.key === key);
    const layer = able.find((each) => each.number === number);
    const rows = rowsOf(scores, number, key);
    const few = study.layers.length <= 12 && !study.beside; // whose names are longer
    return html`<${Panel} title="Scores beside nulls and rivals" id="scores" sources=${[layer.files && layer.files.scores]} aside=${html`<span class="chart-key"><i class="k-own"></i>words <i class="k-rival"></i>rivals <i class="k-nil"></i>nulls</span>`}>
      <div class="controls">
        ${few ? html`<div class="segments" role="group" aria-label="Layer">${able.map((each) => html`<button key=${each.number} type="button" aria-pressed=${each.number === number} onClick=${() => setNumber(each.number)}><${Text}>${each.probe || each.heading}<//></button>`)}</div>`
          : html`<label>Layer <select value=${number} onChange=${(event) => setNumber(Number(event.target.value))}>${able.map((each) => html`<option key=${each.number} value=${each.number}>${each.heading}</option>`)}</select></label>`}
        <label class="measure">Score <select value=${key} onChange=${(event) => setWanted(event.target.value)}>${choices.map((each) => html`<option key=${each.key} value=${each.key}>${each.label}</option>`)}</select></label>
      </div>
      ${chosen.says ? html`<p class="note">${chosen.says[0].toUpperCase() + chosen.says.slice(1)}; whiskers: the interval over resamples of the images.</p>` : null}
      <${Intervals} rows=${rows} label=${chosen.label + " of " + layer.heading} />
      <${Notes} notes=${(study.notes || []).filter((each) => each.layer === number)} />
    <//>`;
  }

  function LayerRow({ layer, study }) {
    const photos = (study.photographs || []).find((each) => each.number === layer.photographs);
    const where = [layer.network, layer.layer].filter(Boolean).join(" · ");
    const named = (layer.counts.proved || 0) + (layer.counts.supported || 0) + (layer.counts.untested || 0);
    return html`<li class="layer-row">
      <a class="layer-head" href=${write("layer", [layer.number])}><strong><${Text}>${layer.probe || layer.heading}<//></strong><span class="soft"><${Text} lines=${1}>${where ? where + " · on " + (layer.dataset || (photos && photos.dataset) || "") : layer.heading}<//></span></a>
      <div class="layer-strip"><${Strip} counts=${layer.counts} total=${layer.filters} label=${layer.heading} />
        <span class="layer-counts">${Object.entries(layer.counts).filter(([, n]) => n > 0).map(([status, n]) => html`<a key=${status} href=${write("layer", [layer.number], { status })}><${Status} status=${status} /> <b>${show(n)}</b></a>`)}</span></div>
      <span class="layer-sum">${layer.explained === false ? html`<b>${show(layer.filters)}</b><span class="soft">filters, no names looked for</span>` : html`<b>${share(layer.filters ? named / layer.filters : null)}</b><span class="soft"> of ${count(layer.filters, "filter")} ${layer.counts.untested ? "named, untested" : "named"}</span>`}</span>
      <span class="layer-files">${[["filter_names", "names"], ["filter_claims", "claims"], ["scores", "scores"]].map(([name, label]) => html`<${Source} key=${name} path=${layer.files && layer.files[name]} label=${label} />`)}</span>
      ${layer.said ? html`<p class="layer-said"><${Sentence}>${layer.said}<//></p>` : null}
      ${layer.senses ? html`<p class="layer-said"><a href=${write("layer", [layer.number], { sort: "senses" })}>Senses</a>: <${Text}>${layer.senses}<//>. <${Source} path=${layer.files && layer.files.senses} /></p>` : null}
    </li>`;
  }

  const listed = (words) => (Array.isArray(words) ? words.join(", ") : words) || "nothing";

  function Known({ study }) {
    return html`<${Panel} title="Known answers" note="Filters whose right word is known, since they were set by hand or learnt a known class: how many got it among the first three words (a colour: as the first), whether or not it became the name.">
      ${study.known.map((each) => {
        const layer = study.layers.find((one) => one.number === each.layer);
        const wrong = (each.right || []).filter(([, , , passed]) => !passed);
        return html`<div class="known" key=${each.layer}>
          <p><strong class="big">${show(each.found)}</strong> of ${show(each.count)} <span class="soft"><${Text}>${layer ? layer.heading : ""}<//></span></p>
          ${wrong.length ? html`<ul class="plain-list">${wrong.slice(0, 8).map(([filter, right, found]) => html`<li key=${filter}><a href=${write("filter", [each.layer, filter])}>filter ${filter}</a>: should be <${Text}>${listed(right)}<//>, found <${Text}>${listed(found)}<//></li>`)}</ul>` : html`<p class="soft">Every one of them.</p>`}
          <div class="sources"><${Source} path=${each.file} /></div></div>`;
      })}
    <//>`;
  }

  function PhotographLink({ entry }) {
    const photos = usePhotos(entry.number, null);
    const rows = [0, 1, 2, 3, 4, 5].filter((row) => row < entry.count);
    return html`<a class="photo-link" href=${write("photographs", [entry.number])}><span class="photo-strip">${rows.map((row) => html`<${Tile} key=${row} photos=${photos} row=${row} label="" />`)}</span><span><strong><${Text}>${entry.dataset}<//></strong> <span class="soft">${count(entry.count, "photograph")} shown here${entry.pictures === "none" ? ", not passed on" : ""}</span></span></a>`;
  }

  /* A filter of any layer, by its number. */
  function FirstFilter({ study, layer, number }) {
    const info = study.layers.find((each) => each.number === layer);
    const { value } = useLayer(layer);
    const photos = usePhotos(info ? info.photographs : null, info ? info.view : null);
    const row = value ? value.row(number) : -1;
    const part = useData(row < 0 ? null : "details/" + layer + "/" + Math.floor(row / PER_FILE)).value;
    const top = part && part.filters[String(number)] ? part.filters[String(number)].top : null;
    const over = top && top.heat ? html`<${Heat} heat=${top.heat[0]} h=${top.h} w=${top.w} opacity=${0.65} mode="dim" />` : null;
    return row < 0 ? html`<div class="card waiting-card"><div class="tile"></div></div>` : html`<${Card} layer=${value} row=${row} photos=${photos} over=${over} note=${html`<${Text} lines=${1}>${info.probe || info.heading}<//>`} />`;
  }

  /* What was found in a few sentences, beside some of the filters whose names are most certain. */
  function Verdict({ study }) {
    const best = study.best || [];
    const [lead, ...others] = study.verdict;
    const told = study.layers.filter((layer) => !layer.study && layer.explained !== false);
    const paths = told.length ? filesOf(told, ["filter_names", "filter_claims", "scores", "known_answers"], 3) : [...(study.networks || []).flatMap((each) => each.files), ...(study.classes || []).map((each) => each.file)].filter((path, k, all) => all.indexOf(path) === k).slice(0, 8);
    return html`<section class=${"verdict" + (best.length ? " illustrated" : "")} aria-label="Verdict">
      <p class="lead"><${Sentence}>${lead}<//></p>
      ${best.length ? html`<div class="verdict-filters"><h2>Some of them; where they look is bright</h2><div class="gallery small">${best.map(([layer, number]) => html`<${FirstFilter} key=${layer + "/" + number} study=${study} layer=${layer} number=${number} />`)}</div></div>` : null}
      <div class="verdict-rest">${others.map((text, k) => html`<p key=${k}><${Sentence}>${text}<//></p>`)}${paths.length ? html`<details class="counted"><summary>The tables that this is counted from</summary><p class="sources"><${Sources} paths=${paths} />${told.length > 3 ? html`<span class="soft">and those beside the layers below</span>` : null}</p></details>` : null}</div></section>`;
  }

  /* The study beside this one: what of the names changed, and its layers. */
  function Beside({ study, others }) {
    const { label, changes } = study.beside;
    return html`<${Panel} title=${html`Beside it: <${Text}>${label}<//>`} wide=${true} id="beside">
      ${changes.length ? html`<ul class="plain-list remarks changes">${changes.map(({ layers, said }) => html`<li key=${layers.join("/")}><a href=${write("compare", layers)}>Compare</a> <${Sentence}>${said}<//></li>`)}</ul>` : html`<p class="soft">No layer of it is one of this study's, too: the same probe in the same words, or the same module with as many filters.</p>`}
      <ul class="layer-list">${others.map((layer) => html`<${LayerRow} key=${layer.number} layer=${layer} study=${study} />`)}</ul><//>`;
  }

  /* Classes with a picture each, those of every network apart; how networks compare. */
  function Classes({ study }) {
    const { classes } = study;
    const probes = [...new Set(classes.map((each) => each.probe + " on " + each.dataset))];
    return html`<${Panel} title="Classes and their facets" sources=${[...new Set(classes.map((each) => each.file))].slice(0, 4)} note="What a network tells apart among the photographs of one class, in pictures.">
      ${(study.networks || []).map((each) => html`<div key=${each.number} class="drawn-by"><p><a href=${write("networks", [each.number])}>${each.probes.length > 1 ? "Networks compared by criteria" : "How good the pictures are, by criteria"}</a> <span class="soft"><${Text}>${each.probes.join(", ") + " on " + each.dataset}<//></span></p>${each.said.length ? html`<${Notes} title="What the comparison says" notes=${each.said.map((text) => ({ text }))} />` : null}</div>`)}
      ${probes.map((probe) => html`<div key=${probe}>${probes.length > 1 ? html`<h3><${Text}>${probe}<//></h3>` : null}<ul class="class-list">${classes.filter((each) => each.probe + " on " + each.dataset === probe).map((each) => html`<li key=${each.number}><a href=${write("class", [each.number])}>${each.picture ? html`<${Picture} path=${each.picture} alt="" />` : null}<span><strong><${Text} lines=${2}>${each.class}<//></strong> <span class="soft">${count(each.facets, "facet")}</span></span></a></li>`)}</ul></div>`)}<//>`;
  }

  /* What the study is about, in a line. */
  function Facts({ own, classes }) {
    const networks = [...new Set(own.map((layer) => layer.network).filter(Boolean))];
    const datasets = [...new Set(own.map((layer) => layer.dataset).filter(Boolean))];
    const layers = own.filter((layer) => layer.filters > 0);
    const filters = layers.reduce((sum, layer) => sum + layer.filters, 0);
    if (own.length === 0) return "No layer of a network was explained or drawn.";
    const named = new Set(classes.map((each) => each.dataset + "/" + each.class)).size;
    const what = layers.length ? "What " + count(filters, "filter") + " of " + count(layers.length, "layer") + " " : named ? "Facets of " + count(named, "class", "classes") + " " : "";
    return html`${what}${networks.length ? html`in <${Text}>${networks.slice(0, 6).join(", ")}${networks.length > 6 ? " and " + (networks.length - 6) + " more" : ""}<//>` : null}${layers.length ? " know" : ""}${datasets.length ? html`, seen on <${Text}>${datasets.join(", ")}<//>` : null}.`;
  }

  /* The layers of a network from the first to the last. */
  function Depth({ depth, study }) {
    const layerOf = (probe) => study.layers.find((each) => !each.study && each.probe === probe && each.dataset === depth.dataset && each.vocabulary === depth.vocabulary);
    return html`<${Panel} title=${html`From layer to layer: <${Text}>${depth.group}<//>`} wide=${true} note=${html`On <${Text}>${depth.dataset}<//>; 0 is the first layer.`}><${CurveGrid} curves=${depth.curves} />
      <ol class="depth-layers" start="0">${depth.probes.map((probe, k) => html`<li key=${k}>${layerOf(probe) ? html`<a href=${write("layer", [layerOf(probe).number])}><${Text}>${probe}<//></a>` : html`<${Text}>${probe}<//>`}</li>`)}</ol><//>`;
  }

  /* A list of remarks of which the first are seen and the rest can be. */
  function Folded({ remarks, study, className }) {
    const rest = remarks.slice(AT_ONCE);
    return html`<ul class=${className}><${Remarks} remarks=${remarks.slice(0, AT_ONCE)} study=${study} /></ul>${rest.length ? html`<details class="notes"><summary>${count(rest.length, "more", "more")}</summary><ul class=${className}><${Remarks} remarks=${rest} study=${study} /></ul></details>` : null}`;
  }

  const ROOMS = { diagnosis: "Data and networks, diagnosed", temperature: "Schedules of the learning rate" };

  /* What the other rooms found, a sentence for each question. */
  function Rooms({ study }) {
    return Object.entries(study.rooms || {}).filter(([, said]) => said.length).map(([room, said]) => html`<${Panel} key=${room} title=${ROOMS[room] || room} aside=${(study.pages || []).includes(room) ? html`<a href=${write(room, [])}>with tables and curves</a>` : null} sources=${study.room_files && study.room_files[room]}><ul class="plain-list remarks">${said.map((each, k) => html`<li key=${k}><${Sentence}>${each}<//></li>`)}</ul><//>`);
  }

  /* Sentences about layers, each with a link to its layer. */
  function Remarks({ remarks, study }) {
    return remarks.map((each, k) => {
      const layer = study.layers.find((one) => one.number === each.layer);
      return html`<li key=${k}>${layer ? html`<a href=${write("layer", [layer.number])}><${Text}>${layer.probe || layer.heading}<//></a>: ` : null}<${Sentence}>${each.text}<//></li>`;
    });
  }

  function Cite({ cite }) {
    const [copied, setCopied] = useState(false);
    if (!cite) return null;
    const copy = () => {
      const done = () => { setCopied(true); setTimeout(() => setCopied(false), 1600); };
      if (navigator.clipboard) navigator.clipboard.writeText(cite.bibtex || cite.text).then(done, () => download("cite.bib", cite.bibtex || cite.text, "text/plain"));
      else download("cite.bib", cite.bibtex || cite.text, "text/plain");
    };
    return html`<${Panel} title="Cite this" id="cite" aside=${html`<button type="button" onClick=${copy}>${copied ? "Copied" : "Copy BibTeX"}</button>`}>
      <p><${Text}>${cite.text}<//></p>${cite.bibtex ? html`<pre class="scroll" tabindex="0">${cite.bibtex}</pre>` : null}<//>`;
  }

  function Study({ study }) {
    const own = study.layers.filter((layer) => !layer.study);
    const others = study.layers.filter((layer) => layer.study);
    const statuses = study.statuses.filter((status) => study.layers.some((layer) => layer.counts[status] > 0));
    const warnings = study.warnings || [];
    const classes = study.classes || [];
    const explained = study.layers.some((layer) => layer.counts.proved || layer.counts.supported || layer.counts.unsupported);
    const general = (study.notes || []).filter((each) => !study.layers.some((layer) => layer.number === each.layer && study.scores && study.scores.layer && study.scores.layer.includes(layer.number)));
    return html`<article class="page study">
      <header class="title-block"><p class="kicker">Filter atlas</p><h1 tabindex="-1"><${Text}>${study.title}<//></h1>
        <p class="facts"><${Facts} own=${own} classes=${classes} /></p></header>
      ${(study.verdict || []).length ? html`<${Verdict} study=${study} />` : null}
      ${own.some((layer) => layer.filters > 0) ? html`<${Panel} title="Layers" wide=${true} aside=${html`<${Legend} statuses=${statuses} />`} note=${explained ? "A filter has a name only where masks bear its word out (supported); where the named objects are the cause, too, it is proved. All others have none, for a reason that is told." : null}><ul class="layer-list">${own.filter((layer) => layer.filters > 0).map((layer) => html`<${LayerRow} key=${layer.number} layer=${layer} study=${study} />`)}</ul><//>` : null}
      ${(study.depth || []).map((each) => html`<${Depth} key=${each.group + each.dataset + each.vocabulary} depth=${each} study=${study} />`)}
      ${study.beside ? html`<${Beside} study=${study} others=${others} />` : null}
      <div class="columns two">
        <div class="column">
          ${study.scores && study.scores.layer && study.scores.layer.length ? html`<${Scores} study=${study} />` : null}
          ${classes.length ? html`<${Classes} study=${study} />` : null}
          ${(study.photographs || []).length ? html`<${Panel} title="Photographs" sources=${filesOf(study.layers, ["images"], 100).slice(0, 4)}>${study.photographs.map((each) => html`<${PhotographLink} key=${each.number} entry=${each} />`)}
            ${(study.occlusions || []).length ? html`<p class="note">What covering parts of them does:</p><ul class="pill-list">${study.occlusions.map((each) => html`<li key=${each.number}><a href=${write("occlusion", [each.number])}><${Text}>${(each.probe || "") + ", photograph " + each.image}<//></a></li>`)}</ul>` : null}<//>` : null}
        </div>
        <div class="column">
          ${warnings.length ? html`<${Panel} title="Before you believe it" sources=${filesOf(study.layers.filter((layer) => warnings.some((each) => each.layer === layer.number)), ["filter_names", "thresholds", "top_images"], 2)}><${Folded} remarks=${warnings} study=${study} className="warnings" /><//>` : null}
          ${general.length ? html`<${Panel} title="To know" sources=${filesOf(study.layers.filter((layer) => general.some((each) => each.layer === layer.number)), ["top_images", "scores"], 2)}><${Folded} remarks=${general} study=${study} className="plain-list remarks" /><//>` : null}
          <${Rooms} study=${study} />
          ${(study.known || []).length ? html`<${Known} study=${study} />` : null}
          ${(study.links || []).length ? html`<${Panel} title="More of this study"><ul class="plain-list">${study.links.map((each) => html`<li key=${each.path}>${study.base === null ? html`<${Text}>${each.text}<//>` : html`<a href=${link(each.path)}><${Text}>${each.text}<//></a>`}</li>`)}</ul><//>` : null}
          <${Cite} cite=${study.cite} />
        </div>
      </div></article>`;
  }

  filterscope.studyPage = { Study, Notes, rowsOf, measures };
})(globalThis);
