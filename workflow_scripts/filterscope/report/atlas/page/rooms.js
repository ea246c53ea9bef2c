/* Diagnosis and temperature: what they say, with the curves, tables and figures behind it. */
(function (root) {
  "use strict";
  const filterscope = (root.filterscope = root.filterscope || {});
  const { html, Panel, Text, Sentence, Picture, Table, Source, Failed, Waiting, useData } = filterscope.parts;
  const { CurveGrid } = filterscope.charts;
  const { link } = filterscope.address;
  const TITLES = {
    diagnosis: ["Diagnosis", "Does the network fit its data, is the data hard, would resampling help, is smaller more robust?"],
    temperature: ["Temperature", "How much each step of training changes what a network computes, and how schedules of the learning rate compare."],
  };

  const sentence = (each) => (typeof each === "string" ? each : each.text);

  function Figure({ figure }) {
    return html`<figure class="figure"><a style=${{ maxWidth: figure.width + "px" }} href=${link(figure.path)} aria-label=${"The figure alone: " + (figure.title || figure.alt || "")}><${Picture} path=${figure.path} alt=${figure.alt || figure.title || "figure"} width=${figure.width} height=${figure.height} /></a><figcaption><${Text}>${figure.title || ""}<//> <${Source} path=${figure.file} /></figcaption></figure>`;
  }

  function Room({ name }) {
    const data = useData(name);
    if (data.error) return html`<${Failed} error=${data.error} />`;
    if (!data.value) return html`<${Waiting} />`;
    const room = data.value;
    const sections = room.sections || [{ title: "", sentences: [], tables: room.tables || [], figures: room.figures || [], curves: room.curves || [] }];
    // What a section says itself is not said above it, too.
    const told = new Set(sections.flatMap((each) => (each.sentences || []).map(sentence)));
    const said = (room.sentences || []).filter((each) => !told.has(sentence(each)));
    return html`<article class="page room"><header class="title-block"><h1 tabindex="-1">${TITLES[name][0]}</h1><p class="facts">${TITLES[name][1]}</p></header>
      ${said.length ? html`<section class="verdict" aria-label="What it comes to">${said.map((each, k) => html`<p key=${k}><${Sentence}>${sentence(each)}<//></p>`)}</section>` : null}
      ${sections.length > 2 ? html`<nav class="toc" aria-label="On this page">${sections.map((each, k) => html`<button key=${k} type="button" onClick=${() => { const target = document.getElementById("section-" + k); target.scrollIntoView({ block: "start" }); }}><${Text}>${each.title}<//></button>`)}</nav>` : null}
      ${sections.map((each, k) => html`<${Panel} key=${k} id=${"section-" + k} title=${html`<${Text}>${each.title || TITLES[name][0]}<//>`} wide=${true} sources=${[each.file]}>
        ${(each.sentences || []).length ? html`<div class="sentences">${each.sentences.map((text, n) => html`<p key=${n}><${Sentence}>${sentence(text)}<//></p>`)}</div>` : null}
        ${(each.curves || []).length ? html`<${CurveGrid} curves=${each.curves} />` : null}
        ${(each.tables || []).map((table, n) => html`<${Table} key=${n} title=${table.title} columns=${table.columns} rows=${table.rows} total=${table.total} path=${table.file} meanings=${table.meanings} />`)}
        ${(each.figures || []).length ? html`<div class=${"figure-grid" + (each.figures.length === 1 ? " single" : "")}>${each.figures.map((figure, n) => html`<${Figure} key=${n} figure=${figure} />`)}</div>` : null}
      <//>`)}</article>`;
  }

  filterscope.roomPage = { Room };
})(globalThis);
