/* A class: the map of its photographs, and its facets. */
(function (root) {
  "use strict";
  const filterscope = (root.filterscope = root.filterscope || {});
  const { html, useState, Panel, Text, Tile, Picture, Failed, Waiting, useData, useLayer, usePhotos, useWidth, contents } = filterscope.parts;
  const { address } = filterscope;
  const { show, share, count, isMissing } = filterscope.numbers;
  const { span } = filterscope.charts;

  const CHANCE = 0.05; // p up to which a word tells a facet from the class's others

  /* The words of a facet, those first that tell it apart: by how likely that is chance, and how often they were said. */
  function Words({ facet }) {
    const words = (facet.words || []).map(([word, votes, cosine, contrast, p]) => ({ word, votes, contrast, p }));
    if (!words.length && !facet.told) return null;
    return html`<div class="words">${facet.told ? html`<p><${Text}>${facet.told}<//></p>` : null}
      ${words.length ? html`<p><span class="soft">Its words, by what the others lack:</span> ${words.slice(0, 10).map((each, k) => html`<span key=${k} title=${isMissing(each.p) ? "" : "p = " + show(each.p) + ", cosine above the other facets' " + show(each.contrast)}>${k ? ", " : ""}<span class=${!isMissing(each.p) && each.p <= CHANCE ? "tells" : ""}><${Text}>${each.word}<//></span> <span class="soft">${each.votes}</span></span>`)}</p>` : null}</div>`;
  }

  function FacetMap({ places, facets, photos, hot, onHot, label }) {
    const [ref, width] = useWidth();
    const [point, setPoint] = useState(-1);
    const height = Math.max(240, Math.min(460, width * 0.8));
    const [xs, ys] = [span(places.x), span(places.y)];
    const toX = (value) => 24 + ((width - 48) * (value - xs[0])) / (xs[1] - xs[0] || 1);
    const toY = (value) => height - 24 - ((height - 48) * (value - ys[0])) / (ys[1] - ys[0] || 1);
    const rowAt = (k) => (places.row[k] === null ? -1 : places.row[k]);
    const centre = (facet) => {
      const members = places.facet.map((each, k) => (each === facet ? k : -1)).filter((k) => k >= 0);
      const middle = (values) => members.reduce((sum, k) => sum + values[k], 0) / (members.length || 1);
      return [middle(places.x), middle(places.y)];
    };
    return html`<div ref=${ref} class="facet-map">${width ? html`<svg width=${width} height=${height} role="img" aria-label=${label || "Map of " + places.x.length + " photographs of the class in " + facets.length + " facets"}>
      ${places.x.map((x, k) => html`<circle key=${k} class=${"c" + (places.facet[k] % 8) + (hot >= 0 && hot !== places.facet[k] ? " faded" : "")} cx=${toX(x)} cy=${toY(places.y[k])} r=${point === k ? 6 : 4} onMouseEnter=${() => { setPoint(k); onHot(places.facet[k]); }} onMouseLeave=${() => { setPoint(-1); onHot(-1); }} />`)}
      ${facets.map(({ facet }) => { const [x, y] = centre(facet); return html`<g key=${facet} class=${"facet-number c" + (facet % 8)}><circle cx=${toX(x)} cy=${toY(y)} r="12" /><text x=${toX(x)} y=${toY(y) + 4} text-anchor="middle">${facet}</text></g>`; })}</svg>` : null}
      ${point >= 0 && rowAt(point) >= 0 ? html`<div class="facet-tip" style=${{ left: Math.min(width - 110, toX(places.x[point]) + 10) + "px", top: Math.max(0, toY(places.y[point]) - 50) + "px" }}><${Tile} photos=${photos} row=${rowAt(point)} label="" /></div>` : null}</div>`;
  }

  /* The map in the middle, a picture of each facet left and right of it, in the facet's colour and with its number. */
  function Plate({ found, photos, hot, onHot }) {
    const { places, facets } = found;
    const middle = (facet, values) => {
      const own = values.filter((_, k) => places.facet[k] === facet.facet);
      return own.reduce((sum, value) => sum + value, 0) / (own.length || 1);
    };
    const across = [...facets].sort((a, b) => middle(a, places.x) - middle(b, places.x) || a.facet - b.facet);
    const cut = Math.ceil(across.length / 2);
    const sides = [across.slice(0, cut), across.slice(cut)].map((side) => side.sort((a, b) => middle(b, places.y) - middle(a, places.y) || a.facet - b.facet));
    const show = (facet) => {
      const drawn = (facet.pictures || []).find((each) => each.start === "mean") || (facet.pictures || [])[0];
      const path = drawn ? drawn.path : null;
      return html`<button key=${facet.facet} type="button" class=${"plate-picture c" + (facet.facet % 8) + (hot === facet.facet ? " hot" : "")} aria-label=${"To facet " + facet.facet} onMouseEnter=${() => onHot(facet.facet)} onMouseLeave=${() => onHot(-1)} onFocus=${() => onHot(facet.facet)} onBlur=${() => onHot(-1)} onClick=${() => { const target = document.getElementById("facet-" + facet.facet); if (target) target.scrollIntoView({ block: "start" }); }}>
        ${path || !photos.columns || facet.nearest === null || facet.nearest === undefined ? html`<${Picture} path=${path} alt="" />` : html`<${Tile} photos=${photos} row=${facet.nearest} label="" />`}<b>${facet.facet}</b></button>`;
    };
    const wide = Math.ceil(cut / 5);
    return html`<div class="plate">${sides.map((side, k) => html`<div key=${k} class=${"plate-side" + (k ? " right" : "")} style=${{ "--wide": wide }}>${side.map(show)}</div>`)}<div class="plate-map"><${FacetMap} places=${places} facets=${facets} photos=${photos} hot=${hot} onHot=${onHot} /></div></div>`;
  }

  function Facet({ facet, photos, number, files, hot, onHot }) {
    const rows = (facet.rows || []).filter((row) => row !== null && row >= 0);
    return html`<section id=${"facet-" + facet.facet} class=${"panel facet" + (hot ? " hot" : "")} onMouseEnter=${() => onHot(facet.facet)} onMouseLeave=${() => onHot(-1)}>
      <header><h2><span class=${"facet-dot c" + (facet.facet % 8)}>${facet.facet}</span> Facet ${facet.facet}</h2><div class="aside soft">${count(facet.members, "photograph")}${facet.small ? ", few" : ""}${isMissing(facet.recovered) ? "" : "; found again in other samples: " + share(facet.recovered)}</div></header>
      <div class="facet-pictures">
        ${facet.mean ? html`<figure><${Picture} path=${facet.mean} alt=${"Mean image of facet " + facet.facet} /><figcaption>mean of ${show(facet.averaged)}</figcaption></figure>` : null}
        ${(facet.pictures || []).map((each, k) => html`<figure key=${k}><${Picture} path=${each.path} alt=${"Picture of facet " + facet.facet + " by " + each.recipe + ", begun as " + each.start} /><figcaption><${Text}>${each.recipe}<//>${each.start ? ", from " + each.start : ""}${isMissing(each.ratio) ? "" : html`: <b>${show(each.ratio)} ×</b> the best`}${each.status && each.status !== "optimised" ? html` <strong><${Text}>${each.status}<//></strong>` : null}${each.path === null && each.note ? html` <${Text}>${each.note}<//>` : null}</figcaption></figure>`)}
      </div>
      <${Words} facet=${facet} />
      <div class="crops">${rows.slice(0, 15).map((row) => html`<a key=${row} href=${photos.columns ? address.write("photograph", [number, photos.columns.image[row]]) : undefined}><${Tile} photos=${photos} row=${row} label=${contents(photos, row)} /></a>`)}</div><footer class="sources">${["facet_summary", "facet_words", "facet_pictures"].map((name) => html`<${filterscope.parts.Source} key=${name} path=${files[name]} />`)}</footer></section>`;
  }

  function Class({ study, number }) {
    const data = useData("classes/" + number);
    const found = data.value;
    const info = found && found.layer !== undefined && found.layer !== null ? study.layers.find((each) => each.number === found.layer) : null;
    const photos = usePhotos(found ? found.photographs : null, info ? info.view : null);
    const [hot, setHot] = useState(-1);
    const { value: units } = useLayer(info ? info.number : null);
    const shown = Boolean(units) && units.row(found.unit) >= 0;
    if (data.error) return html`<${Failed} error=${data.error} />`;
    if (!found) return html`<${Waiting} />`;
    const files = found.files || {};
    const firm = found.stability || {};
    const others = (study.classes || []).filter((each) => each.number !== number && each.probe === found.probe && each.dataset === found.dataset);
    const compared = (study.networks || []).find((each) => each.dataset === found.dataset);
    return html`<article class="page class"><header class="title-block compact"><div><p class="kicker">Class · <${Text}>${[found.probe, found.dataset].filter(Boolean).join(" on ")}<//></p><h1 tabindex="-1"><${Text}>${found.class}<//></h1><p class="facts">${count(found.facets.length, "facet")} of ${count(found.places ? found.places.x.length : 0, "photograph")}${" · "}${shown ? html`<a href=${address.write("filter", [info.number, found.unit])}>output unit ${found.unit}</a>` : "output unit " + found.unit}</p></div></header>
      <${Panel} title="Its facets around the map of its photographs" wide=${true} note="Each dot is a photograph, by what the network computes of it (PCA, then t-SNE); numbers are facets, 0 is the largest. Beside the map a picture of each, begun as the facet's mean image." sources=${[files.facets, files.facet_pictures, ...(found.plates || [])]}>${found.places ? html`<${Plate} found=${found} photos=${photos} hot=${hot} onHot=${setHot} />` : null}<//>
      ${(found.networks || []).length > 1 ? html`<${Panel} title="The class as every network draws it" wide=${true} note="A picture of each facet; facets of two networks are other groups of photographs." sources=${[files.facet_pictures]} aside=${compared ? html`<a href=${address.write("networks", [compared.number])}>compared by criteria</a>` : null}><${filterscope.networksPage.Rows} rows=${found.networks} here=${number} /><//>` : null}
      <div class="columns class-columns"><div class="column side">
          <${Panel} title="How firm the grouping is" sources=${[files.facet_summary]} note="k-means always finds groups; these numbers say whether it finds the same ones again (1: the same, 0: chance)."><dl class="facts-list">${[["from other seeds", firm.seed], ["in other samples", firm.bootstrap], ["silhouette", firm.silhouette], ["facets suggested", firm.suggested]].filter(([, value]) => !isMissing(value)).map(([label, value]) => html`<div key=${label}><dt>${label}</dt><dd>${show(value)}</dd></div>`)}</dl><//>
          ${compared ? html`<${Panel} title="Are the pictures good?"><p><a href=${address.write("networks", [compared.number])}>${compared.probes.length > 1 ? "The networks compared by five criteria and a judge" : "By five criteria and a judge, beside photographs and mean images"}</a></p><//>` : null}
          ${others.length ? html`<${Panel} title="Other classes" sources=${[...new Set(others.map((each) => each.file))].slice(0, 4)}><ul class="pill-list">${others.slice(0, 200).map((each) => html`<li key=${each.number}><a href=${address.write("class", [each.number])}><${Text}>${each.class}<//></a></li>`)}</ul><//>` : null}</div>
        <div class="column facets">${found.facets.map((facet) => html`<${Facet} key=${facet.facet} facet=${facet} photos=${photos} number=${found.photographs} files=${files} hot=${hot === facet.facet} onHot=${setHot} />`)}</div></div>
      </article>`;
  }

  filterscope.classPage = { Class, FacetMap };
})(globalThis);
