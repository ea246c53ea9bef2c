/* Senses of a filter: groups among the photographs that excite it most, how firm they are, and what chance would find. */
(function (root) {
  "use strict";
  const filterscope = (root.filterscope = root.filterscope || {});
  const { html, useState, Panel, Text, Tile, Picture, Failed, Waiting, useData, wholeBox, contents } = filterscope.parts;
  const { address, geometry } = filterscope;
  const { show, count, isMissing } = filterscope.numbers;
  const PER_FILE = 64;
  const CHANCE = 0.05; // p up to which a word tells a sense from the filter's others

  /* The mean of photographs, painted by the browser: each over those before it, so that all weigh the same. */
  function Mean({ photos, rows, boxes, label }) {
    const { sheet } = photos;
    const known = rows.map((row, k) => [row, boxes[k]]).filter(([row]) => row !== null && row >= 0);
    if (!sheet || sheet.pictures === "none" || !photos.columns || !known.length) return null;
    return html`<div class="tile mean" role="img" aria-label=${label}>${known.map(([row, box], k) => html`<i key=${row} style=${{ ...geometry.background(sheet, row, geometry.within(wholeBox(photos, row), box)), opacity: 1 / (k + 1) }}></i>`)}</div>`;
  }

  function Group({ group, photos, info, number, only, hot, onHot }) {
    const known = group.row.map((_, k) => k).filter((k) => group.row[k] !== null && group.row[k] >= 0);
    const name = only ? "Its images" : "Sense " + group.sense;
    const { picture } = group;
    return html`<section class=${"sense" + (hot ? " hot" : "")} onMouseEnter=${() => onHot(group.sense)} onMouseLeave=${() => onHot(-1)}>
      <h3>${only ? null : html`<span class=${"facet-dot c" + (group.sense % 8)}>${group.sense}</span>`} <span>${group.called ? html`<${Text} lines=${2}>${group.called}<//>` : name}</span> <span class="soft">${count(group.images, "photograph")}</span></h3>
      <div class="sense-body"><div class="facet-pictures">
        ${known.length && photos.sheet && photos.sheet.pictures !== "none" ? html`<figure><${Mean} photos=${photos} rows=${group.row} boxes=${group.box} label=${"Mean of the nearest photographs of " + name.toLowerCase()} /><figcaption>mean of ${show(known.length)}</figcaption></figure>` : null}
        ${picture ? html`<figure><${Picture} path=${picture.path} alt=${"Picture of " + name.toLowerCase() + " by " + picture.recipe} /><figcaption>${picture.status !== "optimised" ? html`<strong><${Text}>${picture.status}<//></strong> ` : null}${picture.note ? html`<${Text}>${picture.note}<//>` : html`<${Text}>${picture.recipe}<//>${isMissing(picture.activation) ? "" : html`: activation <b>${show(picture.activation)}</b>, the mean’s ${show(picture.mean_activation)}`}`}</figcaption></figure>` : null}</div>
        <div class="crops">${known.map((k) => {
          const row = group.row[k];
          const label = (photos.columns ? contents(photos, row) : "photograph") + ", maximum " + show(group.maximum[k]);
          const tile = html`<${Tile} photos=${photos} row=${row} box=${photos.columns ? geometry.within(wholeBox(photos, row), group.box[k]) : null} label=${label} />`;
          return photos.columns ? html`<a key=${k} href=${address.write("photograph", [info.photographs, photos.columns.image[row]], { layer: info.number, filter: number })}>${tile}</a>` : html`<span key=${k}>${tile}</span>`;
        })}</div></div>
      ${(group.words || []).length ? html`<p class="sense-words"><span class="soft">${only ? "Its words:" : "Its words, by what the others lack:"}</span> ${group.words.map(([word, votes, contrast, p], k) => html`<span key=${k} title=${isMissing(p) ? "" : "p = " + show(p) + ", cosine above the other senses' " + show(contrast)}>${k ? ", " : ""}<span class=${!isMissing(p) && p <= CHANCE ? "tells" : ""}><${Text}>${word}<//></span> <span class="soft">${votes}</span></span>`)}</p>` : null}</section>`;
  }

  const FIRM = [
    ["strength", "Strength", "how far half of the photographs foretells the groups of the other half", "≥"],
    ["likeness", "Likeness", "largest cosine of the mean codes of two groups", "≤"],
    ["distinction", "Distinction", "standard deviations by which the group with least of its own has it", "≥"],
  ];

  /* What decides how many senses there are, beside the same by codes shuffled among the photographs and by where another
     filter fires in them, and what is asked. */
  function Firm({ own, limits }) {
    const rows = FIRM.filter(([key]) => !isMissing(own[key]) || !isMissing(own["null_" + key]));
    return html`<div class="scroll" tabindex="0" role="group" aria-label="How firm its senses are"><table class="plain firm"><thead><tr><th scope="col"><span class="visually-hidden">what</span></th><th scope="col" class="number">here</th><th scope="col" class="number">shuffled (null)</th><th scope="col" class="number" title=${isMissing(own.other_filter) ? "no other filter was there to ask" : "filter " + own.other_filter + ", in the " + show(own.shared_images) + " photographs in which both fire; in these this one has " + show(own.shared_senses) + " by its own"}>another filter (null)</th><th scope="col" class="number">several need</th></tr></thead>
      <tbody><tr><th scope="row">senses</th><td class="number"><b>${show(own.senses)}</b></td><td class="number">${show(own.null_senses)}</td><td class="number">${show(own.other_senses)}</td><td class="number"></td></tr>
      ${rows.map(([key, label, says, sign]) => html`<tr key=${key}><th scope="row" title=${says}>${label.toLowerCase()}</th><td class="number">${show(own[key])}</td><td class="number">${show(own["null_" + key])}</td><td class="number">${show(own["other_" + key])}</td><td class="number">${isMissing(limits[key]) ? "" : sign + " " + show(limits[key])}</td></tr>`)}</tbody></table></div>`;
  }

  function Senses({ info, number, row, photos }) {
    const data = useData(info.senses && row >= 0 ? "senses/" + info.number + "/" + Math.floor(row / PER_FILE) : null);
    const [hot, setHot] = useState(-1);
    if (!info.senses) return null;
    if (data.error) return html`<${Failed} error=${data.error} />`;
    if (data.waiting) return html`<${Panel} title="Senses"><${Waiting} /><//>`;
    const own = data.value ? data.value.filters[String(number)] : null;
    if (!own) return null;
    const files = info.files || {};
    const sources = ["senses", "sense_images", "sense_words", "sense_pictures"].map((name) => files[name]);
    if (own.status === "untold") return html`<${Panel} title="Senses" sources=${sources}><p class="soft">How many it has cannot be told: <${Text}>${own.note}<//>.</p><//>`;
    const groups = own.groups || [];
    const only = groups.length < 2;
    const { FacetMap } = filterscope.classPage;
    return html`<${Panel} title=${only ? "Senses: one" : "Senses: " + groups.length} sources=${sources} note=${"Groups among the " + show(own.images) + " photographs that excite it most, by what else the network sees where it fires; that there is just one is a possible answer. Both nulls are mild: a network that was never trained passes them, too, so look at the photographs before you believe in several." + (only ? "" : " Photographs are shown around the place where it is strongest.")}>
      <div class="senses">${groups.map((group) => html`<${Group} key=${group.sense} group=${group} photos=${photos} info=${info} number=${number} only=${only} hot=${hot === group.sense} onHot=${setHot} />`)}</div>
      <div class="sense-proof"><${Firm} own=${own} limits=${data.value.limits || {}} />${only ? null : html`<div><h3>Its photographs by these codes</h3><${FacetMap} places=${own.map} facets=${groups.map(({ sense }) => ({ facet: sense }))} photos=${photos} hot=${hot} onHot=${setHot} label=${"Map of " + own.map.x.length + " photographs in " + groups.length + " senses"} /></div>`}</div>
    <//>`;
  }

  filterscope.senses = { Senses, Mean };
})(globalThis);
