/* Networks that drew the same classes: their pictures by criteria, what tests say, and every class as each of them drew it. */
(function (root) {
  "use strict";
  const filterscope = (root.filterscope = root.filterscope || {});
  const { html, useState, Panel, Text, Sentence, Picture, Table, Sources, Failed, Waiting, useData } = filterscope.parts;
  const { Intervals } = filterscope.charts;
  const { address } = filterscope;
  const { show, count, isMissing } = filterscope.numbers;

  const MEASURES = {
    natural_colours: { label: "natural colours", says: "likeness to photographs in means, spreads and correlations of colours, and in how fast they change" },
    single_central_object: { label: "single central object", says: "contrast of the centre with the border, the step across the largest object's outline, and its share of all contrast" },
    global_structure: { label: "global structure", says: "likeness to photographs in coarse spectrum and coherence of edges" },
    clarity_of_details: { label: "clarity of details", says: "share of small patches with visible edges in one direction" },
    clear_context: { label: "clear context", says: "likeness to photographs in the surroundings' contrast with the centre, homogeneity and texture" },
    ratio: { label: "activation", says: "the unit's activation, times that by the class's best photograph" },
    judge_top1: { label: "judge: first", says: "share in which another network sees the right class first" },
    judge_top5: { label: "judge: first five", says: "share in which another network sees the right class among its first five" },
  };
  const REAL = ["photographs", "mean images"];
  const measureOf = (name) => MEASURES[name] || { label: String(name).replace(/_/g, " "), says: "" };

  /* Rows of one measure for the chart: pictures, what they are compared with, chance. */
  function rowsOf(criteria, measure) {
    const several = new Set(criteria.probe).size > 1;
    const groups = [...new Set(criteria.group)]; // the same kind of pictures of all networks stand together
    return criteria.measure.map((_, k) => k).filter((k) => criteria.measure[k] === measure).sort((a, b) => groups.indexOf(criteria.group[a]) - groups.indexOf(criteria.group[b]) || a - b).map((k) => {
      const group = criteria.group[k];
      const doubted = criteria.believed[k] === false;
      const kind = group === "chance" ? "nil" : REAL.includes(group) ? "rival" : doubted ? "bound" : "own";
      return { label: group + (several ? ": " + criteria.probe[k] : ""), value: criteria.value[k], low: criteria.low[k], high: criteria.high[k], kind, title: isMissing(criteria.n[k]) ? "" : (group === "chance" ? "by the judge's " + count(criteria.n[k], "output") : count(criteria.n[k], "picture")) };
    });
  }

  /* Networks for which a criterion does not rank photographs above mean images above bare ascent. */
  function doubtedBy(criteria, measure) {
    return [...new Set(criteria.measure.map((_, k) => k).filter((k) => criteria.measure[k] === measure && criteria.believed[k] === false).map((k) => criteria.probe[k]))];
  }

  const TESTED = ["first", "second", "paired by", "pairs", "first − second", "interval", "p", "p, all tests"];

  function testsOf(tests, measure) {
    if (!tests.measure) return [];
    return tests.measure.map((_, k) => k).filter((k) => tests.measure[k] === measure).map((k) => {
      const side = (which) => tests[which + "_probe"][k] + ": " + tests[which][k];
      return [side("first"), side("second"), tests.by[k], tests.n[k], tests.difference[k], filterscope.numbers.interval(tests.low[k], tests.high[k]), tests.p[k], tests.adjusted[k]];
    });
  }

  /* A class as every network drew it: a row per network, a picture per facet. here: the number of the class's page that
     this stands on. */
  function Rows({ rows, here }) {
    return html`<div class="network-rows">${rows.map((row) => html`<${Drawn} key=${row.page} row=${row} called=${row.probe} here=${row.page === here} />`)}</div>`;
  }

  /* The pictures of one network for one class, called by either; here: whether its page is this one. */
  function Drawn({ row, called, here }) {
    return html`<div class="network-row"><h3>${here ? html`<${Text}>${called}<//> <span class="soft">this page</span>` : html`<a href=${address.write("class", [row.page])}><${Text}>${called}<//></a>`}</h3>
      <div class="network-pictures">${row.pictures.length ? row.pictures.map((each, k) => html`<figure key=${k}><${Picture} path=${each.path} alt=${"Facet " + each.facet + " of " + called + ", as " + row.probe + " draws it"} /><figcaption>facet ${each.facet}${isMissing(each.ratio) ? "" : html`, <b>${show(each.ratio)} ×</b>`}${each.status !== "optimised" ? html` <strong><${Text}>${each.status}<//></strong>` : null}${each.path === null && each.note ? html` <${Text}>${each.note}<//>` : null}</figcaption></figure>`) : html`<p class="soft">No picture.</p>`}</div></div>`;
  }

  function Networks({ study, number }) {
    const data = useData("networks/" + number);
    const [wanted, setWanted] = useState(null);
    if (data.error) return html`<${Failed} error=${data.error} />`;
    if (!data.value) return html`<${Waiting} />`;
    const found = data.value;
    const measure = found.measures.includes(wanted) ? wanted : found.measures[found.measures.length - 1];
    const { label, says } = measureOf(measure);
    const doubted = doubtedBy(found.criteria, measure);
    const tests = testsOf(found.tests, measure);
    const several = found.probes.length > 1;
    const others = (study.networks || []).filter((each) => each.number !== number);
    return html`<article class="page networks"><header class="title-block"><p class="kicker">Pictures of classes</p><h1 tabindex="-1">${several ? "Networks compared" : "How good the pictures are"}</h1>
        <p class="facts"><${Text}>${found.probes.join(", ")}<//> on <${Text}>${found.dataset}<//></p></header>
      ${found.said.length ? html`<section class="verdict" aria-label="What it comes to">${found.said.map((each, k) => html`<p key=${k}><${Sentence}>${each}<//></p>`)}<p class="sources"><${Sources} paths=${found.files} /></p></section>` : null}
      <${Panel} title="By criteria" wide=${true} sources=${tests.length ? found.files.slice(0, 1) : found.files} aside=${html`<span class="chart-key"><i class="k-own"></i>pictures <i class="k-rival"></i>photographs, means <i class="k-nil"></i>chance</span>`}>
        <div class="chips" role="group" aria-label="Criterion">${found.measures.map((each) => html`<button key=${each} type="button" class="chip" aria-pressed=${each === measure} onClick=${() => setWanted(each)}>${measureOf(each).label}</button>`)}</div>
        ${says ? html`<p class="note">${says[0].toUpperCase() + says.slice(1)}; larger is better; whiskers: the interval over pictures.</p>` : null}
        ${doubted.length ? html`<p class="note"><strong class="bad">Not to be believed</strong> with <${Text}>${doubted.join(", ")}<//>: there it does not rank photographs above mean images above bare ascent.</p>` : null}
        <${Intervals} rows=${rowsOf(found.criteria, measure)} label=${label} floor=${Math.min(0, ...found.criteria.value.filter((_, k) => found.criteria.measure[k] === measure))} />
        ${tests.length ? html`<h3>Paired tests</h3><p class="note">Signs of the differences flipped at random, two-sided; the last column holds for all tests of this criterion together (Holm). Networks are paired class by class, recipes of one network facet by facet.</p><${Table} title="" columns=${TESTED} rows=${tests} total=${tests.length} path=${found.files[1]} />` : several ? html`<p class="note">${found.tests.measure ? "There are too few classes or facets for paired tests: they need five pairs." : "The table of paired tests is not there."}</p>` : null}<//>
      ${several ? null : html`<${Panel} title="Its pictures of every class" wide=${true} note="A picture of each facet, and its activation times that of the class's best photograph." sources=${(study.classes || []).filter((one) => one.dataset === found.dataset).map((one) => one.file)}><div class="network-rows">${found.classes.map((each) => html`<${Drawn} key=${each.class} row=${each.rows[0]} called=${each.class} />`)}</div><//>`}
      ${several && found.classes.map((each) => html`<${Panel} key=${each.class} title=${html`<${Text}>${each.class}<//>`} wide=${true} note="A picture of each facet, and its activation times that of the class's best photograph." sources=${(study.classes || []).filter((one) => each.rows.some((row) => row.page === one.number)).map((one) => one.file)}><${Rows} rows=${each.rows} /><//>`)}
      ${others.length ? html`<${Panel} title="Other datasets"><ul class="pill-list">${others.map((each) => html`<li key=${each.number}><a href=${address.write("networks", [each.number])}><${Text}>${each.dataset}<//></a></li>`)}</ul><//>` : null}
    </article>`;
  }

  filterscope.networksPage = { Networks, Rows, rowsOf, testsOf, doubtedBy };
})(globalThis);
