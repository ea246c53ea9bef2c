/* A filter: what excites it, what it is called, and how far that can be believed. */
(function (root) {
  "use strict";
  const filterscope = (root.filterscope = root.filterscope || {});
  const { html, useState, useEffect, Panel, Status, Text, Tile, Heat, Words, Card, Picture, Source, Failed, Waiting, useData, useLayer, usePhotos, contents, wholeBox, nameOf, STATUSES } = filterscope.parts;
  const { Evidence, Histogram } = filterscope.charts;
  const { store, address, geometry } = filterscope;
  const { show, interval, count, share, isMissing, unscored } = filterscope.numbers;
  const PER_FILE = 64;
  const CROP = 0.4; // of the view's side, where it is not known what a place of the map sees
  const remembered = { opacity: 0.7, mode: "dim" }; // from filter to filter

  const listed = (words) => (Array.isArray(words) ? words.join(", ") : words) || "nothing";
  const quoted = (text) => html`“<${Text}>${text}<//>”`;

  /* Top images, each with its heatmap painted over; crops around the strongest place. */
  function TopImages({ top, photos, info, number, source }) {
    const [opacity, setOpacity] = useState(remembered.opacity);
    const [mode, setMode] = useState(remembered.mode);
    const [big, setBig] = useState(false);
    remembered.opacity = opacity;
    remembered.mode = mode;
    useEffect(() => {
      const toggle = (event) => { if (event.key === "h" && !event.target.closest("input, select, textarea") && !event.ctrlKey && !event.metaKey) setOpacity((old) => (old > 0 ? 0 : 0.7)); };
      document.addEventListener("keydown", toggle);
      return () => document.removeEventListener("keydown", toggle);
    }, []);
    const ranks = top.row.map((_, rank) => rank);
    const known = !isMissing(info.receptive);
    const crop = known ? Math.min(1, info.receptive) : CROP;
    const viewOf = (rank) => (top.view && top.view[rank]) || geometry.WHOLE;
    const label = (rank) => "Rank " + (rank + 1) + ", " + (top.row[rank] === null ? "photograph" : contents(photos, top.row[rank])) + ", maximum " + show(top.maximum[rank]);
    const controls = html`${top.heat ? html`<label class="slider">Heatmap <input type="range" min="0" max="100" value=${Math.round(100 * opacity)} onInput=${(event) => setOpacity(Number(event.target.value) / 100)} aria-valuetext=${Math.round(100 * opacity) + " %"} /></label>
      <div class="segments" role="group" aria-label="How heatmaps are painted"><button type="button" aria-pressed=${mode === "dim"} onClick=${() => setMode("dim")}>dim</button><button type="button" aria-pressed=${mode === "hue"} onClick=${() => setMode("hue")}>hue</button></div>` : null}
      <button type="button" class="wide-only" aria-pressed=${big} onClick=${() => setBig(!big)}>larger</button>`;
    return html`<${Panel} title="What excites it most" aside=${controls} sources=${source} note=${"The photographs with the largest maxima, as the network sees them." + (!top.heat ? "" : mode === "dim" ? " Dark is what the filter ignores." : " Yellow is where it fires most.")}>
      <div class=${"tops" + (big ? " large" : "")}>${ranks.map((rank) => {
        const row = top.row[rank] === null ? -1 : top.row[rank];
        const box = row >= 0 && photos.columns ? geometry.within(wholeBox(photos, row), viewOf(rank)) : null;
        const words = top.words && top.words[rank] ? top.words[rank].slice(0, 3).join(", ") : "";
        const inner = html`<${Tile} photos=${photos} row=${row} box=${box} label=${label(rank)}>${top.heat && top.heat[rank] ? html`<${Heat} heat=${top.heat[rank]} h=${top.h} w=${top.w} opacity=${opacity * (mode === "hue" ? 0.75 : 0.92)} mode=${mode} />` : null}<//><span class="top-value">${show(top.maximum[rank])}${words ? html` <span class="soft"><${Text} lines=${1}>${words}<//></span>` : null}</span>`;
        return row >= 0 && photos.columns ? html`<a key=${rank} class="top" href=${address.write("photograph", [info.photographs, photos.columns.image[row]], { layer: info.number, filter: number })}>${inner}</a>` : html`<div key=${rank} class="top">${inner}</div>`;
      })}</div>
      ${top.box && crop < 0.95 ? html`<h3>Where it looks in them <span class="soft">${known ? html`its receptive field there, ${share(crop)} of the side <${Source} path=${info.files && info.files.receptive_field} />` : "details around the strongest places"}</span></h3><div class="crops">${ranks.filter((rank) => top.box[rank] && top.row[rank] !== null).map((rank) => {
        const row = top.row[rank];
        const view = viewOf(rank);
        const size = [crop * (view[2] - view[0]), crop * (view[3] - view[1])];
        const box = photos.columns ? geometry.within(wholeBox(photos, row), geometry.around(top.box[rank], size)) : null;
        return html`<${Tile} key=${rank} photos=${photos} row=${row} box=${box} label=${"Detail around the strongest place, rank " + (rank + 1)} />`;
      })}</div>` : null}
    <//>`;
  }

  /* Score, interval and null on one bar; the same for the cause; in sentences what both mean. */
  function Believing({ own, status, info }) {
    const claim = own.claim || {};
    const name = own.name || {};
    const cause = own.cause || {};
    const auprc = isMissing(claim.auprc) ? name.auprc : claim.auprc;
    const word = claim.claim || name.claim;
    const files = info.files || {};
    const others = [];
    if (!isMissing(claim.rival_auprc) && claim.rival && claim.rival !== word) others.push({ label: "as “" + claim.rival + "”, Network Dissection’s label", value: claim.rival_auprc });
    return html`<${Panel} title="How far its name can be believed" sources=${[files.filter_claims || files.filter_names, cause.status && files.filter_causes]}>
      <p class="status-line"><${Status} status=${status} long=${true} /></p>
      ${name.reference_status ? html`<p class="note">On the dataset with masks the same claim is ${name.reference_status}; scores and pictures here are that dataset's.</p>` : null}
      ${word ? html`<h3>Do masks bear ${quoted(word)} out?</h3>` : null}
      ${isMissing(auprc) ? html`<p class="soft">${unscored(status, word)}</p>` : html`
        <${Evidence} value=${auprc} low=${isMissing(claim.low) ? name.low : claim.low} high=${isMissing(claim.high) ? name.high : claim.high} nil=${isMissing(claim.null) ? name.null : claim.null} from=${0} to=${1} label="AUPRC" nilLabel="the layer’s mean filter (null)" others=${others} />
        <dl class="facts-list">${[["IoU", claim.iou], ["F1", claim.f1], ["correlation", claim.correlation], ["lift", claim.lift]].filter(([, value]) => !isMissing(value)).map(([label, value]) => html`<div key=${label}><dt>${label}</dt><dd>${show(value)}</dd></div>`)}</dl>
        ${claim.lent && !isMissing(claim.lent_supported) ? html`<p class="note">A decoy, a claim lent from another filter, would ${claim.lent_supported ? html`<strong>be supported here, too</strong>` : "not be supported here"}.</p>` : null}`}
      ${cause.status ? html`<h3>Are such objects the cause?</h3>
        ${isMissing(cause.effect) ? null : html`<${Evidence} value=${cause.effect} low=${cause.low} high=${cause.high} nil=${cause.null} from=${Math.min(0, cause.low || 0)} to=${Math.max(0.5, 1.08 * (cause.high || 0))} label="effect, in spreads of the filter" nilLabel="on the layer’s mean filter (null)" />`}
        <p class="note">${cause.status === "caused" ? "Yes" : cause.status === "not_caused" ? "Not shown" : "It cannot be told"}${cause.reason ? html`: <${Text}>${cause.reason}<//>. ` : ". "}${cause.objects ? html`${count(cause.objects, "such object")}, beside ${count(cause.controls, "other")} of their size${isMissing(cause.p) ? "" : "; p = " + show(cause.p)}${isMissing(cause.laid_effect) ? "" : "; laid in " + show(cause.laid_effect)}${isMissing(cause.lost_effect) ? "" : ", taken out " + show(cause.lost_effect)}.` : ""}</p>` : null}
      ${own.known ? html`<h3>The right answer is known</h3><p>${own.known.passed ? html`<strong class="good">Found.</strong>` : html`<strong class="bad">Missed.</strong>`} It detects <${Text}>${listed(own.known.right || own.known.detects)}<//>; found: <${Text}>${listed(own.known.found)}<//>. <${Source} path=${files.known_answers} /></p>` : null}
    <//>`;
  }

  function Bar({ value, most }) {
    return html`<td class="number bar-cell"><i style=${{ width: isMissing(value) || !(most > 0) ? 0 : (100 * Math.max(0, value)) / most + "%" }}></i><span>${show(value)}</span></td>`;
  }

  const isNew = (words, k) => Boolean(words.novel && words.novel[k]);

  /* The words with what each is made of. */
  function WordTable({ words, apart, layer, info }) {
    const most = (key) => Math.max(...words[key].map((value) => value || 0));
    const rows = words.word.map((_, k) => k);
    const columns = [["votes", "votes", "top images whose first words hold it"], ["cosine", "cosine", "of the word's vector with what the explainer sees"], ["evidence", "evidence", "what training images say: logarithm of a chance"], ["lift", "lift", "above the layer's mean filter"]].filter(([key]) => words[key] && words[key].some((value) => !isMissing(value)));
    return html`<${Panel} title="In words" sources=${[info.files && info.files.filter_words, apart && info.files && info.files.words_apart]}>
      <div class="scroll" tabindex="0" role="group" aria-label="Words of this filter"><table class="word-table"><thead><tr><th scope="col">what its images show</th>${columns.map(([key, label, says]) => html`<th key=${key} scope="col" class="number" title=${says}>${label}</th>`)}</tr></thead>
        <tbody>${rows.map((k) => html`<tr key=${k}><th scope="row"><a class=${isNew(words, k) ? "new-word" : ""} href=${address.write("layer", [layer.number], { q: words.word[k] })}><${Text} lines=${1}>${words.word[k]}<//></a>${isNew(words, k) ? html`<sup title="a new word: no category has it, so no mask can test it">*</sup>` : null}</th>${columns.map(([key]) => html`<${Bar} key=${key} value=${words[key][k]} most=${most(key)} />`)}</tr>`)}</tbody></table></div>
      ${apart ? html`<p class="apart"><span class="soft">What sets it apart from the layer:</span> <${Words} words=${apart.word.map((word, k) => ({ word, isNew: isNew(apart, k) }))} limit=${8} /></p>` : null}
      ${words.novel && words.novel.some(Boolean) ? html`<p class="note">* a new word: no category of the dataset has it, so no mask can test it.</p>` : null}
    <//>`;
  }

  function Rivals({ own, info }) {
    const claim = own.claim || {};
    const rows = [...(own.rivals || []).map((each) => [each.method, each.label, each.auprc])];
    if (claim.rival && !rows.length) rows.push(["Network Dissection", claim.rival, claim.rival_auprc]);
    if (!rows.length) return null;
    return html`<${Panel} title="What rivals say" sources=${[info.files && info.files.filter_claims, rows.some(([method]) => method === "CLIP-Dissect") && info.files && info.files.clip_words]}><dl class="rivals">${rows.map(([method, label, value]) => html`<div key=${method}><dt>${method}</dt><dd><${Text}>${label || "nothing"}<//>${isMissing(value) ? null : html` <span class="soft">AUPRC ${show(value)}</span>`}</dd></div>`)}</dl><//>`;
  }

  /* In how many of a filter's pictures its claim is found; found: the share. */
  const pictured = (found, number) => number === 1 ? "Its claim is " + (found > 0 ? "" : "not ") + "found in its picture" : "Its claim is found in " + show(Math.round(found * number)) + " of its " + count(number, "picture");

  function Pictures({ pictures, info, number, name }) {
    const recipes = [...new Set(pictures.map((each) => each.recipe))];
    const files = info.files || {};
    return html`<${Panel} title="Pictures made for it" note="Made from noise to excite it; beside each how it compares with the best photograph, and what the explainer calls it." sources=${Object.keys(files).filter((name) => name.startsWith("pictures")).map((name) => files[name])}>
      ${!isMissing(name.picture_found) ? html`<p class="note">${pictured(name.picture_found, name.picture_count || pictures.length)}; claims of other filters in ${share(name.picture_null)} of all pictures.</p>` : null}
      <div class="picture-row">${recipes.map((recipe) => html`<div key=${recipe} class="recipe"><h3><${Text}>${recipe}<//></h3><div class="recipe-pictures">${pictures.filter((each) => each.recipe === recipe).map((each, k) => html`<figure key=${k}><${Picture} path=${each.path} alt=${"Optimised picture of filter " + number + " by " + recipe} /><figcaption>${each.status && each.status !== "optimised" ? html`<strong><${Text}>${each.status}<//></strong> <${Text}>${each.note || ""}<//> ` : null}${isMissing(each.ratio) ? null : html`<b>${show(each.ratio)} ×</b> the best photograph. `}${each.words ? html`<span class="soft"><${Text} lines=${2}>${Array.isArray(each.words) ? each.words.slice(0, 5).join(", ") : String(each.words)}<//></span>` : null}</figcaption></figure>`)}</div></div>`)}</div><//>`;
  }

  function Near({ near, layer, photos, source }) {
    const rows = near.map((each) => layer.row(each)).filter((row) => row >= 0);
    if (!rows.length) return null;
    return html`<${Panel} title="Nearest filters" note="They fire most alike over the photographs." sources=${[source]}><div class="gallery small">${rows.map((row) => html`<${Card} key=${row} layer=${layer} row=${row} photos=${photos} />`)}</div><//>`;
  }

  function Feeds({ feeds, classes, source }) {
    const most = Math.max(...feeds.map(([, weight]) => Math.abs(weight)));
    return html`<${Panel} title="Classes that it feeds" note="Weights of the network's last layer: to the right they speak for the class, to the left against it." sources=${[source]}><div class="feeds">${feeds.map(([name, weight, number]) => html`<div key=${name} class="feed"><span>${isMissing(number) || !classes.some((each) => each.number === number) ? html`<${Text} lines=${1}>${name}<//>` : html`<a href=${address.write("class", [number])}><${Text} lines=${1}>${name}<//></a>`}</span><span class="feed-track"><i class=${weight < 0 ? "against" : "for"} style=${weight < 0 ? { right: "50%", width: (50 * -weight) / most + "%" } : { left: "50%", width: (50 * weight) / most + "%" }}></i></span><span class="number">${show(weight)}</span></div>`)}</div><//>`;
  }

  const placed = (rank) => (isMissing(rank) ? html`<strong class="bad">falls out</strong>` : "stays, place " + (rank + 1));

  /* What is left of it when parts of photographs are covered that it is among the strongest filters of. */
  function Covered({ covered, photos, source }) {
    const parted = covered.some((each) => each.parts.length || each.squares);
    const title = parted ? "What covering does to it" : "Photographs that it is among the strongest filters of";
    const note = parted ? "It is among the strongest filters of these photographs. When a part is covered, it stays among them or falls out; how large parts do by chance is told on the photograph's page." : null;
    return html`<${Panel} title=${title} note=${note} sources=${[source]}><ul class="covered">${covered.map((each) => html`<li key=${each.number}>
        <a href=${address.write("occlusion", [each.number])}><${Tile} photos=${photos} row=${isMissing(each.row) ? -1 : each.row} label=${"photograph " + each.image} /></a>
        <div><a href=${address.write("occlusion", [each.number])}>photograph ${each.image}</a> <span class="soft">place ${each.rank + 1} of ${each.size}</span>
        ${each.parts.length ? html`<ul>${each.parts.slice(0, 8).map(([name, area, rank], k) => html`<li key=${k}><${Text} lines=${1}>${name}<//> <span class="soft">${share(area)}</span> ${placed(rank)}</li>`)}${each.parts.length > 8 ? html`<li class="soft">and ${each.parts.length - 8} more</li>` : null}</ul>` : null}
        ${each.squares ? html`<p>A square that slides over it drives it out at ${each.squares_out} of ${count(each.squares, "place")}.</p>` : null}</div></li>`)}</ul><//>`;
  }

  function Filter({ info, study, number, go }) {
    const { value: layer, error } = useLayer(info.number);
    const row = layer ? layer.row(number) : -1;
    const data = useData(layer && row >= 0 ? "details/" + info.number + "/" + Math.floor(row / PER_FILE) : null);
    const photos = usePhotos(info.photographs, info.view);
    const order = filterscope.order && filterscope.order.layer === info.number ? filterscope.order : null;
    const listed = order ? order.filters() : null;
    const list = listed && listed.includes(number) ? listed : layer ? [...layer.filter] : [];
    const at = list.indexOf(number);
    const before = at > 0 ? list[at - 1] : null;
    const after = at >= 0 && at < list.length - 1 ? list[at + 1] : null;
    useEffect(() => {
      const keys = (event) => {
        if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.target.closest("input, select, textarea, [role=dialog]")) return;
        const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        const there = address.parse(location.hash).numbers; // where keys come fast, the address is ahead of what is drawn
        const next = step && there[0] === info.number && list.includes(there[1]) ? list[list.indexOf(there[1]) + step] : undefined;
        if (next === undefined) return;
        event.preventDefault();
        go(address.write("filter", [info.number, next]));
      };
      document.addEventListener("keydown", keys);
      return () => document.removeEventListener("keydown", keys);
    });
    if (error) return html`<${Failed} error=${error} />`;
    if (!layer) return html`<${Waiting} />`;
    if (row < 0) return html`<article class="page"><h1 tabindex="-1">There is no filter ${number} here</h1><p>This layer has ${count(layer.count, "filter")}. <a href=${address.write("layer", [info.number])}>See all of them</a>.</p></article>`;
    const status = layer.statuses[layer.status[row]];
    const name = nameOf(layer, row);
    const own = data.value ? data.value.filters[String(number)] || {} : null;
    const files = info.files || {};
    const page = (study.classes || []).find((each) => each.layer === info.number && each.unit === number); // of an output unit
    const link = (to, label, arrow) => to === null ? html`<span class="button off" aria-hidden="true">${arrow}</span>` : html`<a class="button" href=${address.write("filter", [info.number, to])} aria-label=${label + ": filter " + to} title=${label + " (arrow key)"}>${arrow}</a>`;
    const top = own && own.top && own.top.row.length ? own.top : null;
    const filtered = listed && list === listed && list.length !== layer.count;
    return html`<article class="page filter">
      <header class="title-block compact"><div><p class="kicker"><a href=${order ? order.back : address.write("layer", [info.number])}><${Text}>${info.heading}<//></a></p>
        <h1 tabindex="-1"><span class="filter-number">${number}</span> ${name === null ? html`<span class="no-name">no name</span>` : html`<${Text} lines=${2}>${name}<//>`} <${Status} status=${status} /></h1>
        <p class="facts">${layer.words ? html`<${Words} words=${store.wordsOf(layer, row)} limit=${5} />` : null}${page ? html`${layer.words ? " · " : ""}<a href=${address.write("class", [page.number])}>facets of the class <${Text}>${page.class}<//></a>` : null}</p></div>
        <nav class="title-aside stepper" aria-label="Filters of this layer">${link(before, "Previous", "←")}<span class="soft">${show(at + 1)} of ${show(list.length)}${filtered ? " in the list" : ""}</span>${link(after, "Next", "→")}</nav></header>
      ${data.error ? html`<${Failed} error=${data.error} />` : !own ? html`<${Waiting} />` : html`<div class="columns filter-columns">
        <div class="column">
          ${top ? html`<${TopImages} top=${top} photos=${photos} info=${info} number=${number} source=${[files.top_images]} />` : info.senses && !own.name ? null : html`<${Panel} title="What excites it"><p class="soft">${STATUSES[status] || "No photograph excites it."}</p><//>`}
          <${filterscope.senses.Senses} info=${info} number=${number} row=${row} photos=${photos} />
          ${own.pictures && own.pictures.length ? html`<${Pictures} pictures=${own.pictures} info=${info} number=${number} name=${own.name || {}} />` : null}
          ${own.near && own.near.length ? html`<${Near} near=${own.near} layer=${layer} photos=${photos} source=${files.firing} />` : null}
        </div>
        <div class="column">
          ${own.claim || own.name || own.cause ? html`<${Believing} own=${own} status=${status} info=${info} />` : html`<${Panel} title="How far its name can be believed"><p class="status-line"><${Status} status=${status} long=${true} /></p><//>`}
          ${own.words && own.words.word.length ? html`<${WordTable} words=${own.words} apart=${own.apart && own.apart.word.length ? own.apart : null} layer=${layer} info=${info} />` : null}
          <${Rivals} own=${own} info=${info} />
          ${own.maxima ? html`<${Panel} title="How strongly photographs excite it" sources=${[files.thresholds]} note=${own.threshold && !isMissing(own.threshold.threshold) ? "Maxima of all photographs; the line is the threshold above which it fires, " + show(own.threshold.threshold) + ". Heights are square roots." : "Maxima of all photographs. Heights are square roots."}><${Histogram} low=${own.maxima.edges[0]} high=${own.maxima.edges[own.maxima.edges.length - 1]} counts=${own.maxima.counts} mark=${own.threshold ? own.threshold.threshold : null} markLabel="threshold" label="Distribution of maxima" /><//>` : null}
          ${own.feeds && own.feeds.length ? html`<${Feeds} feeds=${own.feeds} classes=${study.classes || []} source=${files.feeds} />` : null}
          ${own.occlusions && own.occlusions.length ? html`<${Covered} covered=${own.occlusions} photos=${photos} source=${own.occlusions[0].file} />` : null}
          ${own.sheet ? html`<p class="note"><${Source} path=${own.sheet} label="its sheet as one picture" /></p>` : null}
        </div>
      </div>`}</article>`;
  }

  filterscope.filterPage = { Filter, interval };
})(globalThis);
