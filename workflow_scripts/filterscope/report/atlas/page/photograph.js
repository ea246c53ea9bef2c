/* A photograph: its objects, its strongest filters, where they look; all photographs; and what covering parts does. */
(function (root) {
  "use strict";
  const filterscope = (root.filterscope = root.filterscope || {});
  const { html, Source, filesOf, useState, useEffect, useRef, Panel, Text, Tile, Heat, Card, Picture, Failed, Waiting, useData, useLayer, usePhotos, rowOf, contents, wholeBox } = filterscope.parts;
  const { address, geometry } = filterscope;
  const { show, share, count, interval, isMissing } = filterscope.numbers;
  const PORTION = 240;
  const PER_FILE = 64;

  /* Objects as [{category, box in shares of the photograph}]. */
  function objectsOf(photos, row) {
    const { columns } = photos;
    if (!columns || !columns.objects || !columns.objects[row]) return [];
    return columns.objects[row].map(([code, ...box]) => ({ category: columns.texts[code], box }));
  }

  /* The photograph as large as there is room, with what is laid over it in shares of its sides. */
  function Whole({ photos, row, children, label }) {
    const { columns, sheet } = photos;
    const ratio = columns ? columns.width[row] + " / " + columns.height[row] : "1";
    const full = sheet.pictures === "full";
    return html`<div class="whole" style=${{ aspectRatio: ratio, maxWidth: columns ? geometry.widest(columns.width[row] / columns.height[row]) + "px" : null }}>
      ${full ? html`<img src=${"photographs/" + Number(sheet.number) + "/large/" + row + ".webp"} alt=${label} />` : html`<${Tile} photos=${photos} row=${row} box=${wholeBox(photos, row)} label=${label} />`}${children}</div>`;
  }

  function Boxes({ objects, hot, onHot }) {
    return objects.map((each, k) => html`<span key=${k} class=${"object-box" + (hot === k ? " hot" : "")} style=${geometry.percent(each.box)} onMouseEnter=${() => onHot(k)} onMouseLeave=${() => onHot(-1)}><b><${Text} lines=${1}>${each.category}<//></b></span>`);
  }

  /* Filters of a layer that this photograph excites: by the table of the strongest, or those whose best image it is. */
  function Strongest({ info, image, row, photos: own }) {
    const { value: layer, error } = useLayer(info.number);
    const data = useData(info.strongest ? "strongest/" + info.number : null);
    const photos = usePhotos(info.photographs, info.view);
    if (error) return html`<${Failed} error=${error} />`;
    if (!layer || data.waiting || own.waiting) return null;
    const listed = data.value && data.value.filters ? data.value.filters[row] || [] : null;
    const rows = listed ? listed.map((number) => layer.row(number)).filter((each) => each >= 0) : [...layer.thumb.keys()].filter((each) => layer.thumb[each] === row);
    if (!rows.length) return null;
    const shares = data.value && data.value.shares ? data.value.shares[row] : null;
    return html`<section class="strongest"><h3><a href=${address.write("layer", [info.number])}><${Text}>${info.heading}<//></a> <span class="soft">${listed ? "strongest here, as shares of their own largest maximum" : count(rows.length, "filter") + " with this as the best photograph"}</span></h3>
      <div class="gallery small">${rows.slice(0, 24).map((each, k) => html`<${Card} key=${each} layer=${layer} row=${each} photos=${photos} note=${shares ? share(shares[k]) : null} />`)}</div></section>`;
  }

  function Photograph({ study, number, image, query }) {
    const asked = query.layer !== undefined && /^\d+$/.test(query.layer) ? study.layers.find((each) => each.number === Number(query.layer)) : null;
    const filter = asked && /^\d+$/.test(query.filter || "") ? Number(query.filter) : null;
    const photos = usePhotos(number, asked ? asked.view : null);
    const { value: layer } = useLayer(filter !== null ? asked.number : null);
    const place = layer ? layer.row(filter) : -1;
    const details = useData(place >= 0 ? "details/" + asked.number + "/" + Math.floor(place / PER_FILE) : null);
    const [hot, setHot] = useState(-1);
    const [boxes, setBoxes] = useState(true);
    const [opacity, setOpacity] = useState(0.7);
    if (photos.error) return html`<${Failed} error=${photos.error} />`;
    if (!photos.sheet) return html`<${Failed} error=${new Error("The atlas has no photographs number " + number + ".")} />`;
    if (!photos.columns) return html`<${Waiting} />`;
    const row = rowOf(photos, image);
    if (row < 0) return html`<article class="page"><h1 tabindex="-1">There is no photograph ${image} here</h1><p>The atlas holds those that excite some filter most: <a href=${address.write("photographs", [number])}>all ${show(photos.sheet.count)}</a>.</p></article>`;
    const objects = objectsOf(photos, row);
    const own = details.value ? details.value.filters[String(filter)] : null;
    const rank = own && own.top ? own.top.row.indexOf(row) : -1;
    const top = rank < 0 ? null : { maximum: own.top.maximum[rank], heat: own.top.heat ? own.top.heat[rank] : null, h: own.top.h, w: own.top.w };
    const layers = study.layers.filter((each) => each.photographs === number);
    const occlusions = (study.occlusions || []).filter((each) => each.photographs === number && each.row === row);
    const view = geometry.seen(photos.view, photos.columns.width[row], photos.columns.height[row]);
    return html`<article class="page photograph"><header class="title-block compact"><div><p class="kicker"><a href=${address.write("photographs", [number])}><${Text}>${photos.sheet.dataset || "photographs"}<//></a></p><h1 tabindex="-1">Photograph ${image}</h1>
      <p class="facts"><${Text}>${photos.columns.name ? photos.columns.name[row] : ""}<//> · ${photos.columns.width[row]} × ${photos.columns.height[row]} px${photos.columns.split ? html` · <${Text}>${photos.columns.split[row]}<//>` : null} ${filesOf(layers, ["images"], 1).map((path) => html`<${Source} key=${path} path=${path} />`)}</p></div>
      ${filter !== null && asked ? html`<div class="title-aside"><a class="button" href=${address.write("filter", [asked.number, filter])}>Back to filter ${filter}</a></div>` : null}</header>
      <div class="columns two"><div class="column"><${Panel} title=${top ? "Where filter " + filter + " looks" : "The photograph"} sources=${top && asked.files ? [asked.files.top_images] : filesOf(layers, ["images"], 1)} aside=${html`${top && top.heat ? html`<label class="slider">Heatmap <input type="range" min="0" max="100" value=${Math.round(opacity * 100)} onInput=${(event) => setOpacity(Number(event.target.value) / 100)} /></label>` : null}${objects.length ? html`<button type="button" aria-pressed=${boxes} onClick=${() => setBoxes(!boxes)}>Objects</button>` : null}`}>
          ${photos.unreadable[row] ? html`<p class="failed"><${Text}>${photos.unreadable[row]}<//></p>` : null}
          <${Whole} photos=${photos} row=${row} label=${contents(photos, row)}>${top && top.heat ? html`<${Heat} heat=${top.heat} h=${top.h} w=${top.w} opacity=${opacity} mode="dim" box=${view} />` : null}${boxes ? html`<${Boxes} objects=${objects} hot=${hot} onHot=${setHot} />` : null}<//>
          ${top ? html`<p class="note">Its maximum here is ${show(top.maximum)}.</p>` : null}<//>
        ${occlusions.length ? html`<${Panel} title="Covered"><ul class="pill-list">${occlusions.map((each) => html`<li key=${each.number}><a href=${address.write("occlusion", [each.number])}>what covering does to <${Text}>${each.probe || "its filters"}<//></a></li>`)}</ul><//>` : null}</div>
        <div class="column"><${Panel} title="Its objects" sources=${filesOf(layers, ["annotations"], 1)}>${objects.length ? html`<ul class="objects">${objects.map((each, k) => html`<li key=${k} class=${hot === k ? "hot" : ""} onMouseEnter=${() => setHot(k)} onMouseLeave=${() => setHot(-1)}><a href=${address.write("search", [], { q: each.category })}><${Text}>${each.category}<//></a> <span class="soft">${share((each.box[2] - each.box[0]) * (each.box[3] - each.box[1]))} of it</span></li>`)}</ul>` : html`<p class="soft">None is annotated.</p>`}<//>
          <${Panel} title="Filters that it excites" sources=${filesOf(layers, ["firing"])}>${layers.map((each) => html`<${Strongest} key=${each.number} info=${each} image=${image} row=${row} photos=${photos} />`)}<//></div></div></article>`;
  }

  function Photographs({ study, number }) {
    const photos = usePhotos(number, null);
    const [limit, setLimit] = useState(PORTION);
    const end = useRef(null);
    const total = photos.sheet ? photos.sheet.count : 0;
    useEffect(() => {
      if (!end.current || limit >= total) return undefined;
      const observer = new IntersectionObserver((entries) => entries.some((each) => each.isIntersecting) && setLimit((old) => old + PORTION), { rootMargin: "800px" });
      observer.observe(end.current);
      return () => observer.disconnect();
    }, [limit, total, Boolean(photos.columns)]);
    if (photos.error) return html`<${Failed} error=${photos.error} />`;
    if (!photos.sheet) return html`<${Failed} error=${new Error("The atlas has no photographs number " + number + ".")} />`;
    if (!photos.columns) return html`<${Waiting} />`;
    const rows = photos.columns.image.map((_, row) => row).slice(0, limit);
    return html`<article class="page"><header class="title-block"><p class="kicker">Photographs</p><h1 tabindex="-1"><${Text}>${photos.sheet.dataset}<//></h1><p class="facts">${count(total, "photograph")} that excite some filter most${photos.sheet.pictures === "none" ? "; they are not passed on with this atlas" : ""}. ${filesOf(study.layers.filter((each) => each.photographs === number), ["images"], 1).map((path) => html`<${Source} key=${path} path=${path} />`)}</p></header>
      <div class="gallery photos" onKeyDown=${(event) => filterscope.layerPage.moveFocus(event)}>${rows.map((row) => html`<a key=${row} data-row=${row} class="photo" href=${address.write("photograph", [number, photos.columns.image[row]])}><${Tile} photos=${photos} row=${row} label=${contents(photos, row)} /><span class="soft">${photos.columns.image[row]}</span></a>`)}</div><div ref=${end}></div></article>`;
  }

  const SCENARIOS = { spike: "A spike: one filter answers to it far more than to its squares in another order.", group: "A group: several filters answer to it more than to its squares in another order.", flat: "Flat: its filters answer to it as to its squares in another order." };

  const percentChange = (value) => (isMissing(value) ? "–" : (value > 0 ? "+" : value < 0 ? "−" : "") + share(Math.abs(value)));

  function Occlusion({ study, number }) {
    const data = useData("occlusions/" + number);
    const found = data.value;
    const info = found ? study.layers.find((each) => each.number === found.layer) : null;
    const photos = usePhotos(found ? found.photographs : null, info ? info.view : null);
    const { value: layer } = useLayer(info ? info.number : null);
    const [hot, setHot] = useState(-1);
    const [weak, setWeak] = useState("weaker");
    if (data.error) return html`<${Failed} error=${data.error} />`;
    if (!found || (photos.sheet && !photos.columns)) return html`<${Waiting} />`;
    const row = isMissing(found.row) ? rowOf(photos, found.image) : found.row;
    const nothing = { kind: [], name: [], area: [], overlap: [] };
    const parts = found.parts || nothing; // a photograph of which only the strongest filters were asked has none
    const strongest = found.strongest;
    const image = photos.columns && row >= 0 ? photos.columns.image[row] : found.image;
    const size = found.size || Math.max(0, ...(parts.overlap || []));
    const map = found.importances;
    const rows = parts.kind.map((_, k) => k).filter((k) => parts.kind[k] !== "photograph" && (parts.kind[k] !== "square" || parts.kind.every((kind) => kind === "square" || kind === "photograph")));
    const filtersOf = (k) => {
      const list = parts.filters && parts.filters[k];
      return Array.isArray(list) ? list : typeof list === "string" ? list.split(/[ ,]+/).filter(Boolean).map(Number) : [];
    };
    const first = parts.kind.indexOf("photograph");
    const own = strongest ? strongest.filter : first >= 0 ? filtersOf(first) : [];
    const box = hot >= 0 && parts.box ? parts.box[hot] : null;
    return html`<article class="page photograph"><header class="title-block compact"><div><p class="kicker">Covered parts</p><h1 tabindex="-1">${rows.length ? "What covering does to photograph" : "The strongest filters of photograph"} ${image}</h1><p class="facts">${found.probe && rows.length ? html`The ${show(size)} strongest filters of <${Text}>${found.probe}<//>: how many stay among the strongest when a part is covered, beside random rectangles of the same area.` : null}</p></div><div class="title-aside">${image !== undefined && photos.sheet ? html`<a class="button" href=${address.write("photograph", [found.photographs, image])}>The photograph</a>` : null}</div></header>
      ${(found.sentences || []).length ? html`<section class="verdict" aria-label="What it comes to">${found.sentences.slice(0, 8).map((text, k) => html`<p key=${k}><${filterscope.parts.Sentence}>${text}<//></p>`)}<p class="sources"><${filterscope.parts.Source} path=${found.file} /></p></section>` : null}
      <div class="columns two"><div class="column"><${Panel} title=${map ? "Where it matters" : "The photograph"} aside=${map && map.lost && map.weaker ? html`<div class="segments" role="group" aria-label="What is shown"><button type="button" aria-pressed=${weak === "weaker"} onClick=${() => setWeak("weaker")}>weaker</button><button type="button" aria-pressed=${weak === "lost"} onClick=${() => setWeak("lost")}>lost</button></div>` : null} note=${map ? (weak === "weaker" ? "Bright: covering it takes away much of the strongest filters' activation." : "Bright: covering it drives filters out of the strongest ones.") : null}>
          ${photos.sheet && row >= 0 ? html`<${Whole} photos=${photos} row=${row} label=${contents(photos, row)}>${map ? html`<${Heat} heat=${map[weak] || map.weaker || map.lost} h=${map.h} w=${map.w} opacity=${0.72} mode="hue" box=${map.view || geometry.seen(photos.view, photos.columns.width[row], photos.columns.height[row])} />` : null}${box ? html`<span class="object-box hot" style=${geometry.percent(box)}></span>` : null}<//>` : null}<//>
        ${layer && own.length ? html`<${Panel} title="Its strongest filters" sources=${[found.strongest_file]} note=${found.scenario ? (SCENARIOS[found.scenario] || found.scenario) : null}><div class="gallery small">${own.map((each) => layer.row(each)).filter((each) => each >= 0).map((each) => html`<${Card} key=${each} layer=${layer} row=${each} photos=${photos} note=${strongest ? show(strongest.activation[strongest.filter.indexOf(layer.filter[each])]) : null} />`)}</div><//>` : null}</div>
        <div class="column">${rows.length ? html`<${Panel} title="Part by part" sources=${[found.file]}><ul class="parts">${rows.slice(0, 80).map((k) => html`<li key=${k} onMouseEnter=${() => setHot(k)} onMouseLeave=${() => setHot(-1)}>
            ${parts.path && parts.path[k] ? html`<${Picture} path=${parts.path[k]} alt=${"Photograph with " + (parts.name[k] || parts.kind[k]) + " covered"} />` : null}
            <div><strong><${Text} lines=${2}>${parts.name[k] || parts.kind[k]}<//></strong> <span class="soft">${share(parts.area[k])} covered${parts.fill && parts.fill[k] ? ", " + parts.fill[k] : ""}</span>
              <p><b>${show(parts.overlap[k])}</b> of ${show(size)} stay${isMissing(parts.null_overlap && parts.null_overlap[k]) ? "" : html` <span class="soft">(random rectangles: ${show(parts.null_overlap[k])} ${interval(parts.null_low && parts.null_low[k], parts.null_high && parts.null_high[k])}${isMissing(parts.p && parts.p[k]) ? "" : ", p = " + show(parts.p[k])})</span>`}${isMissing(parts.change_strongest && parts.change_strongest[k]) ? "" : html`; their activation changes by <b>${percentChange(parts.change_strongest[k])}</b>`}.</p></div></li>`)}</ul><//>` : null}</div></div></article>`;
  }

  filterscope.photographPage = { Photograph, Photographs, Occlusion, objectsOf };
})(globalThis);
