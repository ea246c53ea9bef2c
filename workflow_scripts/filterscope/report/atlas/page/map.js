/* The map of a layer: similar filters near each other, drawn on one canvas. */
(function (root) {
  "use strict";
  const filterscope = (root.filterscope = root.filterscope || {});
  const { html, useEffect, useRef, useState, useWidth, nameOf, code } = filterscope.parts;
  const { address } = filterscope;
  const LABELS = 18;

  /* The row nearest to a place, within `reach` px; -1 if none is. */
  function nearestRow(px, py, x, y, reach) {
    let best = -1;
    let least = reach * reach;
    for (let row = 0; row < px.length; row += 1) {
      const d = (px[row] - x) ** 2 + (py[row] - y) ** 2;
      if (d <= least) { least = d; best = row; }
    }
    return best;
  }

  /* Names to be written: those that most filters near each other bear, each at the middle of its filters. */
  function labelsOf(layer, x, y) {
    const groups = new Map();
    for (let row = 0; row < layer.count; row += 1) {
      const name = nameOf(layer, row);
      if (name === null || Number.isNaN(x[row])) continue;
      if (!groups.has(name)) groups.set(name, []);
      groups.get(name).push(row);
    }
    return [...groups].sort((a, b) => b[1].length - a[1].length || (a[0] < b[0] ? -1 : 1)).slice(0, 4 * LABELS).map(([name, rows]) => {
      const middle = (values) => rows.map((row) => values[row]).sort((a, b) => a - b)[Math.floor(rows.length / 2)];
      return { name: name.length > 22 ? name.slice(0, 21) + "…" : name, x: middle(x), y: middle(y), n: rows.length };
    });
  }

  function LayerMap({ layer, by, shown, hot, onHot, onOpen }) {
    const [ref, width] = useWidth();
    const canvas = useRef(null);
    const [view, setView] = useState({ x: 0, y: 0, zoom: 1 });
    const drag = useRef(null);
    const height = Math.max(260, Math.min(width, 620));
    const xs = by === "firing" ? layer.u : layer.x;
    const ys = by === "firing" ? layer.v : layer.y;
    useEffect(() => setView({ x: 0, y: 0, zoom: 1 }), [layer, by]);
    const pad = 18;
    const place = () => {
      const px = new Float32Array(layer.count);
      const py = new Float32Array(layer.count);
      for (let row = 0; row < layer.count; row += 1) {
        px[row] = (pad + xs[row] * (width - 2 * pad) - width / 2) * view.zoom + width / 2 + view.x;
        py[row] = (pad + (1 - ys[row]) * (height - 2 * pad) - height / 2) * view.zoom + height / 2 + view.y;
      }
      return [px, py];
    };
    const draw = () => {
      if (!canvas.current || !width || !xs || !ys) return;
      const ratio = root.devicePixelRatio || 1;
      const element = canvas.current;
      if (element.width !== Math.round(width * ratio)) { element.width = Math.round(width * ratio); element.height = Math.round(height * ratio); }
      const context = element.getContext("2d");
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, width, height);
      const styles = getComputedStyle(document.documentElement);
      const colour = layer.statuses.map((status) => styles.getPropertyValue("--s-" + code(status)).trim() || "#888");
      const [px, py] = place();
      const size = (layer.count > 4000 ? 1.6 : layer.count > 1000 ? 2.2 : layer.count > 300 ? 3 : 4.5) * Math.sqrt(view.zoom);
      const lit = shown && shown.length < layer.count ? new Set(shown) : null;
      const dots = (wanted, alpha, radius) => {
        context.globalAlpha = alpha;
        for (let status = layer.statuses.length - 1; status >= 0; status -= 1) {
          context.fillStyle = colour[status];
          context.beginPath();
          for (let row = 0; row < layer.count; row += 1) {
            if (layer.status[row] !== status || Number.isNaN(px[row]) || (lit && lit.has(row) !== wanted)) continue;
            context.moveTo(px[row] + radius, py[row]);
            context.arc(px[row], py[row], radius, 0, 6.2832);
          }
          context.fill();
        }
      };
      if (lit) dots(false, 0.16, size * 0.8);
      dots(true, lit ? 1 : 0.78, lit ? size * 1.15 : size);
      context.globalAlpha = 1;
      context.font = "11px system-ui, sans-serif";
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.lineWidth = 3;
      context.lineJoin = "round";
      const taken = [];
      const [paper, ink] = [styles.getPropertyValue("--panel").trim(), styles.getPropertyValue("--ink").trim()];
      for (const label of labelsOf(layer, xs, ys)) {
        if (taken.length >= LABELS * Math.sqrt(view.zoom)) break;
        const x = (pad + label.x * (width - 2 * pad) - width / 2) * view.zoom + width / 2 + view.x;
        const y = (pad + (1 - label.y) * (height - 2 * pad) - height / 2) * view.zoom + height / 2 + view.y - size - 8;
        const half = context.measureText(label.name).width / 2 + 4;
        if (x - half < 0 || x + half > width || y < 8 || y > height - 8) continue;
        if (taken.some((other) => Math.abs(other.x - x) < other.half + half && Math.abs(other.y - y) < 15)) continue;
        taken.push({ x, y, half });
        context.strokeStyle = paper;
        context.strokeText(label.name, x, y);
        context.fillStyle = ink;
        context.fillText(label.name, x, y);
      }
      if (hot >= 0 && !Number.isNaN(px[hot])) {
        context.strokeStyle = ink;
        context.lineWidth = 2;
        context.beginPath();
        context.arc(px[hot], py[hot], size + 4, 0, 6.2832);
        context.stroke();
      }
    };
    useEffect(draw);
    useEffect(() => {
      const again = () => draw();
      root.addEventListener("filterscope-theme", again);
      return () => root.removeEventListener("filterscope-theme", again);
    });
    useEffect(() => {
      const element = canvas.current;
      if (!element) return undefined;
      const wheel = (event) => {
        if (!event.ctrlKey && !event.metaKey) return; // the page scrolls; with Ctrl (or a pinch) the map is enlarged
        event.preventDefault();
        const box = element.getBoundingClientRect();
        zoom(Math.exp(-event.deltaY / 240), event.clientX - box.left, event.clientY - box.top);
      };
      element.addEventListener("wheel", wheel, { passive: false });
      return () => element.removeEventListener("wheel", wheel);
    });
    const zoom = (factor, x, y) => setView((old) => {
      const next = Math.min(24, Math.max(1, old.zoom * factor));
      const k = next / old.zoom;
      if (next === 1) return { x: 0, y: 0, zoom: 1 };
      return { zoom: next, x: x - width / 2 - (x - width / 2 - old.x) * k, y: y - height / 2 - (y - height / 2 - old.y) * k };
    });
    const at = (event) => {
      const box = canvas.current.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    const rowAt = (event) => {
      const [px, py] = place();
      return nearestRow(px, py, ...at(event), 12);
    };
    const onMove = (event) => {
      if (drag.current) {
        const [x, y] = at(event);
        const from = drag.current;
        if (Math.abs(x - from.x) + Math.abs(y - from.y) > 4) from.moved = true;
        if (from.moved && view.zoom > 1) setView({ ...view, x: from.view.x + x - from.x, y: from.view.y + y - from.y });
        return;
      }
      onHot(rowAt(event));
    };
    const onUp = (event) => {
      const from = drag.current;
      drag.current = null;
      if (from && from.moved) return;
      const row = rowAt(event);
      if (row >= 0) onOpen(row);
    };
    if (!xs || !ys) return html`<p class="soft map-none">${by === "firing" ? "Nothing was measured of what these filters fire on together." : "These filters have no words to be placed by."}</p>`;
    return html`<div class="map" ref=${ref}>
      <canvas ref=${canvas} style=${{ width: "100%", height: height + "px", cursor: hot >= 0 ? "pointer" : view.zoom > 1 ? "grab" : "default" }} role="img" aria-label=${"Map of " + layer.count + " filters, near each other where " + (by === "firing" ? "they fire on the same photographs" : "their words are alike") + ". The gallery beside it has the same filters as links."}
        onPointerDown=${(event) => { const [x, y] = at(event); drag.current = { x, y, view, moved: false }; }} onPointerMove=${onMove} onPointerUp=${onUp} onPointerLeave=${() => { drag.current = null; onHot(-1); }} onDblClick=${(event) => zoom(2, ...at(event))}></canvas>
      <div class="map-zoom"><button type="button" aria-label="Enlarge the map" onClick=${() => zoom(1.6, width / 2, height / 2)}>+</button><button type="button" aria-label="Reduce the map" disabled=${view.zoom <= 1} onClick=${() => zoom(1 / 1.6, width / 2, height / 2)}>−</button></div>
    </div>`;
  }

  filterscope.map = { LayerMap, nearestRow, labelsOf, address };
})(globalThis);
