/* Charts: intervals beside each other, evidence beside its null, histograms, curves. SVG and HTML, so that they follow
   the theme, scale with the page and can be read aloud. */
(function (root) {
  "use strict";
  const filterscope = (root.filterscope = root.filterscope || {});
  const { html, useState, useRef, useWidth, Text, Source } = filterscope.parts;
  const { show, interval, ticks, decades, isMissing } = filterscope.numbers;
  const COLOURS = 8; // of series, then they begin again, dashed

  const span = (values) => values.reduce(([low, high], value) => (isMissing(value) ? [low, high] : [Math.min(low, value), Math.max(high, value)]), [Infinity, -Infinity]);

  /* Labels of an axis: short, powers of ten as such. */
  function tickText(value) {
    if (value === 0) return "0";
    const power = Math.round(Math.log10(Math.abs(value)));
    if ((power < -2 || power > 4) && Math.abs(Math.abs(value) / 10 ** power - 1) < 1e-6) return (value < 0 ? "−10" : "10") + String(power).replace(/./g, (sign) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign] || "⁻");
    if (Math.abs(value) >= 10000) return show(Math.round(value));
    return String(Number(value.toPrecision(4))).replace("-", "−");
  }

  /* Rows of {label, value, low, high, kind, title}: a dot with its interval on a common scale. */
  function Intervals({ rows, label, floor }) {
    const known = rows.filter((row) => !isMissing(row.value));
    if (known.length === 0) return html`<p class="soft">Nothing could be measured here.</p>`;
    let [low, high] = span(known.flatMap((row) => [row.value, row.low, row.high]));
    low = Math.min(low, floor === undefined ? 0 : floor);
    const steps = ticks(low, high, 5);
    const step = steps.length > 1 ? steps[1] - steps[0] : 1;
    high = Math.max(high, Math.ceil(high / step - 1e-9) * step) || 1;
    low = Math.min(low, Math.floor(low / step + 1e-9) * step);
    const at = (value) => (100 * (value - low)) / (high - low || 1);
    const axis = ticks(low, high, 5);
    return html`<div class="intervals" role="table" aria-label=${label}>
      ${rows.map((row) => html`<div key=${row.label} class=${"interval-row " + (row.kind || "")} role="row" title=${row.title || ""}>
        <span class="interval-label" role="rowheader"><${Text}>${row.label}<//></span>
        <span class="interval-track" role="presentation" aria-hidden="true">
          ${axis.map((tick) => html`<i key=${tick} class="grid" style=${{ left: at(tick) + "%" }}></i>`)}
          ${isMissing(row.low) || isMissing(row.high) ? null : html`<i class="band" style=${{ left: at(row.low) + "%", width: at(row.high) - at(row.low) + "%" }}></i>`}
          ${isMissing(row.value) ? null : html`<i class="dot" style=${{ left: at(row.value) + "%" }}></i>`}
        </span>
        <span class="interval-value" role="cell">${show(row.value)}<small> ${interval(row.low, row.high)}</small></span>
      </div>`)}
      <div class="interval-row axis" aria-hidden="true"><span></span><span class="interval-track">${axis.map((tick) => html`<b key=${tick} style=${{ left: at(tick) + "%" }}>${tickText(tick)}</b>`)}</span><span></span></div>
    </div>`;
  }

  /* A score with its interval and its null on one bar. others: [{label, value}] further marks. */
  function Evidence({ value, low, high, nil, from, to, label, nilLabel, others }) {
    const all = [value, low, high, nil, ...(others || []).map((other) => other.value)].filter((each) => !isMissing(each));
    const least = Math.min(from, ...all);
    const most = Math.max(to, ...all);
    const at = (each) => (100 * (each - least)) / (most - least);
    const text = label + " " + show(value) + " " + interval(low, high) + (isMissing(nil) ? ", no null" : ", " + nilLabel + " " + show(nil)) + (others || []).map((other) => ", " + other.label + " " + show(other.value)).join("");
    const beats = !isMissing(nil) && !isMissing(low) && low > nil;
    return html`<div class="evidence" role="img" aria-label=${text}>
      <div class="evidence-track">
        ${least < 0 ? html`<i class="zero" style=${{ left: at(0) + "%" }}></i>` : null}
        ${isMissing(nil) ? null : html`<i class="nil" style=${{ left: at(Math.min(0, nil)) + "%", width: at(Math.max(0, nil)) - at(Math.min(0, nil)) + "%" }}></i><i class="nil-edge" style=${{ left: at(nil) + "%" }}></i>`}
        ${isMissing(low) || isMissing(high) ? null : html`<i class=${"band" + (beats ? " beats" : "")} style=${{ left: at(low) + "%", width: Math.max(0.4, at(high) - at(low)) + "%" }}></i>`}
        ${(others || []).map((other) => isMissing(other.value) ? null : html`<i key=${other.label} class="other" style=${{ left: at(other.value) + "%" }} title=${other.label + " " + show(other.value)}></i>`)}
        ${isMissing(value) ? null : html`<i class=${"dot" + (beats ? " beats" : "")} style=${{ left: at(value) + "%" }}></i>`}
      </div>
      <div class="evidence-axis" aria-hidden="true">${ticks(least, most, 5).map((tick) => html`<b key=${tick} style=${{ left: at(tick) + "%" }}>${tickText(tick)}</b>`)}</div>
      <ul class="evidence-key" aria-hidden="true">
        <li><i class=${"key-dot" + (beats ? " beats" : "")}></i>${label} <strong>${show(value)}</strong> <small>${interval(low, high)}</small></li>
        ${isMissing(nil) ? null : html`<li><i class="key-nil"></i>${nilLabel} <strong>${show(nil)}</strong></li>`}
        ${(others || []).map((other) => isMissing(other.value) ? null : html`<li key=${other.label}><i class="key-other"></i><${Text} lines=${1}>${other.label}<//> <strong>${show(other.value)}</strong></li>`)}
      </ul>
    </div>`;
  }

  /* Counts between equal steps of low…high; `mark`: a value to be shown, as a threshold. */
  function Histogram({ low, high, counts, mark, label, unit, markLabel }) {
    const most = Math.max(1, ...counts);
    const total = counts.reduce((sum, n) => sum + n, 0);
    const [hovered, setHovered] = useState(-1);
    const edge = (k) => low + ((high - low) * k) / counts.length;
    const at = high > low && !isMissing(mark) && mark >= low && mark <= high ? (100 * (mark - low)) / (high - low) : null;
    const shown = hovered >= 0 ? counts[hovered] + " of " + total + " images: " + show(edge(hovered)) + " to " + show(edge(hovered + 1)) : show(total) + " images";
    return html`<div class="histogram" role="img" aria-label=${label + ": " + total + " images from " + show(low) + " to " + show(high) + ", most of them (" + most + ") around " + show(edge(counts.indexOf(most) + 0.5))} onMouseLeave=${() => setHovered(-1)}>
      <div class="bars">${counts.map((n, k) => html`<i key=${k} class=${hovered === k ? "on" : ""} onMouseEnter=${() => setHovered(k)}><b style=${{ height: (n ? Math.max(1.5, (100 * Math.sqrt(n)) / Math.sqrt(most)) : 0) + "%" }}></b></i>`)}
        ${at === null ? null : html`<u style=${{ left: at + "%" }} title=${(markLabel || "") + " " + show(mark)}></u>`}</div>
      <div class="histogram-axis"><span>${show(low)}</span><span class="soft">${shown}</span><span>${show(high)} ${unit || ""}</span></div>
    </div>`;
  }

  /* Curves over a common x, with a legend that hides groups, and a cursor by pointer or arrow keys. */
  const groupsOf = (series) => [...new Set(series.map((each) => each.group || each.name))];

  function Legend({ groups, order, hidden, onToggle }) {
    return html`<div class="legend-buttons" role="group" aria-label="Show or hide">${groups.map((group) => html`<button key=${group} type="button" class=${"chip c" + (order.indexOf(group) % COLOURS)} aria-pressed=${!hidden.has(group)} onClick=${() => onToggle(group)}><i aria-hidden="true"></i><${Text}>${group}<//></button>`)}</div>`;
  }

  function useHidden() {
    const [hidden, setHidden] = useState(new Set());
    const toggle = (group) => setHidden((old) => {
      const next = new Set(old);
      if (!next.delete(group)) next.add(group);
      return next;
    });
    return [hidden, toggle];
  }

  /* Several charts whose groups have the same colour in all of them, and one legend where they are the same groups. */
  function CurveGrid({ curves }) {
    const [hidden, toggle] = useHidden();
    const order = [...new Set(curves.flatMap((curve) => groupsOf(curve.series)))];
    const same = curves.length > 1 && curves.every((curve) => groupsOf(curve.series).length === order.length);
    return html`<div>${same ? html`<${Legend} groups=${order} order=${order} hidden=${hidden} onToggle=${toggle} />` : null}
      <div class="curve-grid">${curves.map((curve, n) => html`<${Curves} key=${n} ...${curve} order=${order} shared=${same ? hidden : null} />`)}</div></div>`;
  }

  /* order: the groups, by which they are coloured; shared: the hidden groups, where a legend above says which. */
  function Curves({ title, x: xLabel, y: yLabel, series, log_x: logX, log_y: logY, whole_x: whole, file, order, shared, note }) {
    const [ref, width] = useWidth();
    const groups = order || groupsOf(series);
    const [own, toggle] = useHidden();
    const hidden = shared || own;
    const [cursor, setCursor] = useState(null);
    const svg = useRef(null);
    const shown = series.filter((each) => !hidden.has(each.group || each.name));
    const height = Math.max(180, Math.min(300, Math.round(width * 0.5)));
    const box = { left: 52, right: 12, top: 10, bottom: 32 };
    const positive = (value, isLog) => !isMissing(value) && (!isLog || value > 0);
    const xs = span(shown.flatMap((each) => each.x.filter((value) => positive(value, logX))));
    const ys = span(shown.flatMap((each) => [...each.y, ...(each.low || []), ...(each.high || [])].filter((value) => positive(value, logY))));
    const legend = shared ? null : html`<${Legend} groups=${groupsOf(series)} order=${groups} hidden=${hidden} onToggle=${toggle} />`;
    const frame = (inner) => html`<figure class="curves"><figcaption><span><${Text}>${title}<//></span>${yLabel && yLabel !== title ? html` <span class="soft"><${Text}>${yLabel}<//></span>` : null}</figcaption>${note ? html`<p class="note"><${Text}>${note}<//></p>` : null}${legend}<div class="curve-area" ref=${ref}>${inner}</div><div class="sources"><${Source} path=${file} /></div></figure>`;
    if (!width) return frame(null);
    if (!Number.isFinite(xs[0]) || !Number.isFinite(ys[0])) return frame(html`<p class="soft">Nothing to show: every curve is hidden or empty.</p>`);
    if (ys[0] > 0 && !logY && ys[0] < 0.5 * ys[1]) ys[0] = 0;
    if (ys[0] === ys[1]) { ys[0] -= 0.5; ys[1] += 0.5; }
    if (xs[0] === xs[1]) { xs[0] -= 0.5; xs[1] += 0.5; }
    const scale = ([low, high], from, to, isLog) => (value) => isLog
      ? from + ((to - from) * (Math.log(value) - Math.log(low))) / (Math.log(high) - Math.log(low) || 1)
      : from + ((to - from) * (value - low)) / (high - low);
    const toX = scale(xs, box.left, width - box.right, logX);
    const toY = scale(ys, height - box.bottom, box.top, logY);
    const path = (px, py) => {
      let pen = "M";
      let result = "";
      px.forEach((value, k) => {
        if (!positive(value, logX) || !positive(py[k], logY)) { pen = "M"; return; }
        result += pen + toX(value).toFixed(1) + " " + toY(py[k]).toFixed(1);
        pen = "L";
      });
      return result;
    };
    const area = (each) => {
      const points = each.x.map((value, k) => [value, each.low[k], each.high[k]]).filter(([a, b, c]) => positive(a, logX) && positive(b, logY) && positive(c, logY));
      if (points.length < 2) return "";
      const up = points.map(([a, , c]) => toX(a).toFixed(1) + " " + toY(c).toFixed(1));
      const down = points.reverse().map(([a, b]) => toX(a).toFixed(1) + " " + toY(b).toFixed(1));
      return "M" + [...up, ...down].join("L") + "Z";
    };
    const places = [...new Set(shown.flatMap((each) => each.x.filter((value) => positive(value, logX))))].sort((a, b) => a - b);
    const move = (event) => {
      const left = event.clientX - svg.current.getBoundingClientRect().left;
      let best = 0;
      places.forEach((value, k) => { if (Math.abs(toX(value) - left) < Math.abs(toX(places[best]) - left)) best = k; });
      setCursor(best);
    };
    const keys = (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step || !places.length) return;
      event.preventDefault();
      event.stopPropagation();
      setCursor((old) => Math.min(places.length - 1, Math.max(0, (old === null ? -step : old) + step)));
    };
    const here = cursor === null || cursor >= places.length ? null : places[cursor];
    const readings = here === null ? [] : shown.map((each) => {
      let best = -1;
      each.x.forEach((value, k) => { if (positive(value, logX) && !isMissing(each.y[k]) && (best < 0 || Math.abs(value - here) < Math.abs(each.x[best] - here))) best = k; });
      return best < 0 ? null : { name: each.name, group: groups.indexOf(each.group || each.name), x: each.x[best], y: each.y[best] };
    }).filter(Boolean);
    const tip = here === null ? null : html`<div class=${"tip" + (toX(here) > width / 2 ? " left" : "")} style=${{ left: toX(here) + "px" }}>
      <div class="tip-title"><${Text}>${xLabel}<//> ${show(here)}</div>
      ${readings.slice(0, 14).map((each) => html`<div key=${each.name} class=${"tip-row c" + (each.group % COLOURS)}><i></i><${Text} lines=${1}>${each.name}<//><strong>${show(each.y)}</strong></div>`)}
      ${readings.length > 14 ? html`<div class="soft">and ${readings.length - 14} more</div>` : null}</div>`;
    const count = { number: shown.length };
    return frame(html`
      <svg ref=${svg} width=${width} height=${height} role="img" tabindex="0" aria-label=${title + ": " + yLabel + " over " + xLabel + ", " + count.number + " curves; arrow keys read values"} onPointerMove=${move} onPointerLeave=${() => setCursor(null)} onKeyDown=${keys} onBlur=${() => setCursor(null)}>
        <g class="axes">
          ${(logY ? decades(ys[0], ys[1]) : ticks(ys[0], ys[1], 5)).map((tick) => html`<g key=${"y" + tick}><line x1=${box.left} x2=${width - box.right} y1=${toY(tick)} y2=${toY(tick)} /><text x=${box.left - 6} y=${toY(tick) + 4} text-anchor="end">${tickText(tick)}</text></g>`)}
          ${(logX ? decades(xs[0], xs[1]) : ticks(xs[0], xs[1], width < 420 ? 4 : 7).filter((tick) => !whole || Number.isInteger(tick))).map((tick) => html`<g key=${"x" + tick}><line class="tick" x1=${toX(tick)} x2=${toX(tick)} y1=${height - box.bottom} y2=${height - box.bottom + 4} /><text x=${toX(tick)} y=${height - box.bottom + 15} text-anchor="middle">${tickText(tick)}</text></g>`)}
          <text class="axis-name" x=${width - box.right} y=${height - 3} text-anchor="end">${xLabel}</text>
        </g>
        ${shown.map((each) => each.low && each.high ? html`<path key=${"a" + each.name} class=${"area c" + (groups.indexOf(each.group || each.name) % COLOURS) + (each.nil ? " nil" : "")} d=${area(each)} />` : null)}
        ${shown.map((each) => { const k = groups.indexOf(each.group || each.name); return html`<path key=${each.name} class=${"curve c" + (k % COLOURS) + (k >= COLOURS ? " dashed" : "") + (each.nil ? " nil" : "")} d=${path(each.x, each.y)} />`; })}
        ${here === null ? null : html`<line class="cursor" x1=${toX(here)} x2=${toX(here)} y1=${box.top} y2=${height - box.bottom} />`}
        ${readings.map((each) => positive(each.y, logY) ? html`<circle key=${each.name} class=${"c" + (each.group % COLOURS)} cx=${toX(each.x)} cy=${toY(each.y)} r="3" />` : null)}
      </svg>${tip}`);
  }

  filterscope.charts = { Intervals, Evidence, Histogram, Curves, CurveGrid, span, tickText };
})(globalThis);
